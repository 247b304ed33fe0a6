#include "project/parent_streams.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace caudal {
namespace {

void NamesIn(const Json& json, std::set<std::string>& names) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    constexpr std::string_view kOpen = "{resources.";
    for (std::size_t at = 0; (at = text.find(kOpen, at)) != std::string::npos;) {
      at += kOpen.size();
      const std::size_t end = text.find_first_of(".}", at);
      if (end != std::string::npos && text[end] == '.') names.insert(text.substr(at, end - at));
    }
    return;
  }
  if (!json.is_structured()) return;
  if (json.is_object() && JsonString(json, "type", "") == "resolve") names.insert(JsonString(json, "resource", ""));
  for (const Json& member : json) NamesIn(member, names);
}

class Linker {
 public:
  Linker(SourceConfig& source, const FileContext& file) : x_source(source), x_file(file) {}

  void Link() {
    std::vector<std::string> linked;
    for (const StreamConfig& stream : x_source.streams) {
      x_asker = &stream;
      x_failed = false;
      linked.push_back(DumpJson(Linked(stream, {})));
    }
    for (std::size_t i = 0; i < linked.size(); ++i) x_source.streams[i].options = linked[i];
  }

 private:
  Json Linked(const StreamConfig& stream, std::vector<std::string> below) {
    Result<Json> parsed = ParseJson(stream.options.empty() ? "{}" : stream.options, "options");
    Json options = parsed ? *std::move(parsed) : Json::object();
    std::set<std::string> names;
    if (const auto endpoint = options.find("endpoint"); endpoint != options.end()) NamesIn(*endpoint, names);
    if (names.empty() && options.contains("include_from_parent")) {
      Problem("has include_from_parent, and names no parent", "write path: orders/{resources.orders.id}/lines");
    }
    if (names.size() > 1) Problem("takes values of two streams: '" + *names.begin() + "', '" + *names.rbegin() + "'", "name fields of one stream alone");
    below.push_back(stream.name);
    for (const std::string& name : names) {
      const auto above = std::find_if(x_source.streams.begin(), x_source.streams.end(),
                                      [&](const StreamConfig& other) { return other.name == name; });
      if (above == x_source.streams.end()) {
        std::vector<std::string> others;
        for (const StreamConfig& other : x_source.streams) {
          if (other.name != stream.name) others.push_back(other.name);
        }
        Problem("takes values of '" + name + "', which is no stream of this source", DidYouMean(name, others));
      } else if (std::find(below.begin(), below.end(), name) != below.end()) {
        Problem("takes values of '" + name + "', and so of itself", "have one of the two ask for all of its records");
      } else {
        options["parents"][name] = Linked(*above, below);
      }
    }
    return options;
  }

  /// Once for each stream: what is wrong above it is said at that one, too.
  void Problem(const std::string& what, std::string next) {
    if (x_failed) return;
    x_failed = true;
    x_file.problems->Add(x_asker->place, "the stream '" + x_asker->name + "' " + what, std::move(next));
  }

  SourceConfig& x_source;
  const FileContext& x_file;
  const StreamConfig* x_asker = nullptr;
  bool x_failed = false;
};

}  // namespace

void LinkParents(SourceConfig& source, const FileContext& file) { Linker(source, file).Link(); }

}  // namespace caudal
