// Options of a connector, checked against its spec, as the JSON that an extract job takes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/connector_spec.h"
#include "project/file_context.h"

namespace caudal {

/// What is read, and where to note secrets.
struct OptionsRequest {
  const std::vector<OptionSpec>* specs = nullptr;
  /// Words of the same map that are not the connector's; they are skipped, and offered as nearest names.
  std::vector<std::string> other_words;
  std::string what;           // "a source of type http"
  std::string secret_prefix;  // before the option path: "" or "streams.orders."
  std::string project_folder;
};

/// JSON object text with defaults filled in and only known words. Forms: kInteger a number, kBoolean a boolean, kSize
/// bytes as a number, kDuration the text as written ("15m"), kPath as written, lists and maps of texts; an object that is
/// absent stays absent, one that is given gets its members' defaults. `${NAME}` values are left out and named in
/// `secrets`: option path -> NAME.
std::string ParseConnectorOptions(const YamlNode& map, const OptionsRequest& request, const FileContext& file,
                                  std::map<std::string, std::string>& secrets);

/// `over` wins, maps are merged at every depth.
YamlNode MergeYaml(const YamlNode& under, const YamlNode& over);

}  // namespace caudal
