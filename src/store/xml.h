// The few XML answers of S3 and STS as a tree. Only xml.cc knows the library behind it. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct XmlNode {
  std::string name;  // without a namespace's prefix
  std::string text;
  std::vector<XmlNode> children;
  /// The first child of that name, or nullptr.
  const XmlNode* Find(std::string_view child) const;
  /// That child's text, or "".
  std::string TextOf(std::string_view child) const;
};

/// Errors: kCorruption for text that is no XML, for a document type declaration, and for more than 16 levels.
Result<XmlNode> ParseXml(std::string_view text);
/// `text` with & < > " as entities.
std::string XmlEscaped(std::string_view text);

}  // namespace caudal
