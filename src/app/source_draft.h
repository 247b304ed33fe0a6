// A source that is being described: the words that were given, by their paths in the file, and the file's text. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/connector_spec.h"

namespace caudal {

/// "client.auth.type" -> what was typed.
using OptionValues = std::map<std::string, std::string>;

struct StreamDraft {
  std::string name;
  OptionValues options;
  std::vector<std::string> key;
  std::string write_disposition;  // "" = the default
  std::string cursor;             // "" = not incremental
};

struct SourceDraft {
  std::string name, type, owner, description, freshness;
  OptionValues options;
  std::vector<StreamDraft> streams;
};

/// The text of sources/NAME.yaml: options in the order of the spec.
std::string YamlOf(const SourceDraft& draft, const ConnectorSpec& spec);

/// Every option that one value can be typed for, by its path.
struct OptionPath {
  std::string path;
  const OptionSpec* spec = nullptr;
};
std::vector<OptionPath> OptionPathsOf(const std::vector<OptionSpec>& options);

/// `text` as a name of a stream: what is none becomes _, and what only tells files apart is cut off: "sales-*.csv" -> "sales".
/// "" where nothing is left.
std::string StreamNameFrom(const std::string& text);

}  // namespace caudal
