// pipelines/<name>.yaml. Words: docs/project.md.
#pragma once

#include <string>
#include <vector>

#include "project/file_context.h"

namespace caudal {

struct PipelineFile {
  PipelineConfig config;
  std::vector<Place> run_places;  // one a selector
};

PipelineFile ParsePipelineFile(const YamlNode& root, const std::string& name, const FileContext& file,
                               const Project& project);

}  // namespace caudal
