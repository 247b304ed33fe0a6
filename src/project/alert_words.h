// `alerts` of caudal.yaml, and what pipelines say of one another. Words: docs/project.md.
#pragma once

#include <string>
#include <vector>

#include "project/file_context.h"
#include "project/pipeline_file.h"

namespace caudal {

AlertConfig ParseAlerts(const YamlNode* node, const FileContext& file, const std::string& folder);

/// Pipelines that rules name.
void CheckAlerts(const Project& project, const std::vector<PipelineFile>& pipelines, ProblemList& problems);

/// Pipelines that `after` names, and that none waits for itself.
void CheckPipelineOrder(const std::vector<PipelineFile>& pipelines, ProblemList& problems);

}  // namespace caudal
