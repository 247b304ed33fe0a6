#include "store/xml.h"

#include <expat.h>

#include <memory>

namespace caudal {
namespace {

constexpr std::size_t kMostLevels = 16;

struct Building {
  XML_Parser parser = nullptr;
  XmlNode root;                 // its one child is the document's
  std::vector<XmlNode*> open;   // from the root to the innermost; a vector of siblings only grows at its innermost end
  std::string refused;
};

void OnStart(void* user, const XML_Char* name, const XML_Char**) {
  auto* building = static_cast<Building*>(user);
  if (building->open.size() > kMostLevels) {
    building->refused = "more than 16 levels";
    XML_StopParser(building->parser, XML_FALSE);
    return;
  }
  std::string_view local = name;
  if (const std::size_t colon = local.find(':'); colon != std::string_view::npos) local.remove_prefix(colon + 1);
  auto& siblings = building->open.back()->children;
  siblings.push_back(XmlNode{std::string(local), "", {}});
  building->open.push_back(&siblings.back());
}

void OnEnd(void* user, const XML_Char*) { static_cast<Building*>(user)->open.pop_back(); }

void OnText(void* user, const XML_Char* text, int length) {
  static_cast<Building*>(user)->open.back()->text.append(text, static_cast<std::size_t>(length));
}

void OnDoctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  auto* building = static_cast<Building*>(user);
  building->refused = "a document type declaration";
  XML_StopParser(building->parser, XML_FALSE);
}

}  // namespace

const XmlNode* XmlNode::Find(std::string_view child) const {
  for (const XmlNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

std::string XmlNode::TextOf(std::string_view child) const {
  const XmlNode* node = Find(child);
  return node != nullptr ? node->text : "";
}

Result<XmlNode> ParseXml(std::string_view text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"), &XML_ParserFree);
  Building building;
  building.parser = parser.get();
  building.open.push_back(&building.root);
  XML_SetUserData(parser.get(), &building);
  XML_SetElementHandler(parser.get(), &OnStart, &OnEnd);
  XML_SetCharacterDataHandler(parser.get(), &OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), &OnDoctype);
  const XML_Status status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), 1);
  if (status != XML_STATUS_OK || building.root.children.empty()) {
    const std::string why = building.refused.empty() ? XML_ErrorString(XML_GetErrorCode(parser.get())) : building.refused;
    return Error{ErrorKind::kCorruption, "the object store's answer is no XML: " + why, "see whether the endpoint is an S3 server", ""};
  }
  return std::move(building.root.children.front());
}

std::string XmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else if (c == '"') escaped += "&quot;";
    else escaped.push_back(c);
  }
  return escaped;
}

}  // namespace caudal
