// models/<schema>/<name>.sql: a header in YAML and one SELECT. Words: docs/project.md.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "project/file_context.h"

namespace caudal {

struct ModelFile {
  ModelConfig config;
  /// Where the header names a column or an input: "partition_by", "key", "time", "input:<table>".
  std::map<std::string, Place> places;
  /// The SQL holds templates or is missing: it was complained about and is not for the parser.
  bool skip_sql = false;
};

/// `schema` and `name` from the path, already checked.
ModelFile ParseModelFile(std::string_view text, const std::string& schema, const std::string& name,
                         const FileContext& file, const Project& project);

/// Where byte `offset` of the model's SQL stands in its file.
Place PlaceInSql(const ModelConfig& model, std::size_t offset);

/// Notes dbt's templates in the model's SQL with what to write instead. `tables` are those of the project.
void FindTemplates(ModelFile& model, const std::vector<std::string>& tables, const FileContext& file);

}  // namespace caudal
