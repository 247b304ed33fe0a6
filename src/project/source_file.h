// sources/<name>.yaml: a connection and its streams. Words: docs/project.md.
#pragma once

#include <string>

#include "project/file_context.h"

namespace caudal {

struct SourceFileRequest {
  std::string name;  // from the file's name, already checked
  const std::vector<ConnectorSpec>* connectors = nullptr;
  const Project* project = nullptr;  // defaults
};

/// Whatever can be read is read; what is wrong is noted. `streams_known` is false where nobody can say which streams
/// there are.
SourceConfig ParseSourceFile(const YamlNode& root, const SourceFileRequest& request, const FileContext& file,
                             bool& streams_known);

/// Names that tables and schemas of a project cannot have. Empty = fine, else why.
std::string WhyNoTableName(std::string_view name);
std::string WhyNoSchemaName(std::string_view name);

}  // namespace caudal
