// What only the whole project can tell: columns that nothing gives, inputs that nothing reads, tests of no model.
#pragma once

#include <vector>

#include "project/pipeline_file.h"
#include "project/sql_review.h"
#include "project/table_index.h"
#include "project/test_file.h"

namespace caudal {

void CheckModels(const Project& project, const std::vector<ModelFile>& files, const TableIndex& index,
                 ProblemList& problems);
void CheckStreams(const Project& project, const TableIndex& index, ProblemList& problems);
void CheckTests(const Project& project, const std::vector<TestFile>& tests, const TableIndex& index,
                ProblemList& problems);
/// Folders that `formats` of caudal.yaml names.
void CheckSchemaFormats(const Project& project, const TableIndex& index, ProblemList& problems);
/// Selectors of pipelines; `project.nodes` must stand.
void CheckPipelines(const Project& project, const std::vector<PipelineFile>& pipelines, ProblemList& problems);

}  // namespace caudal
