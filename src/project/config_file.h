// caudal.yaml. Words: docs/project.md.
#pragma once

#include "project/file_context.h"

namespace caudal {

/// Reads the project's own words into `project`; its folder must be set.
void ParseConfigFile(const YamlNode& root, const FileContext& file, Project& project);

/// A value of a parameter: its type from how it is written, or as stated.
std::optional<Parameter> ParseParameter(const YamlNode& node, const FileContext& file);

}  // namespace caudal
