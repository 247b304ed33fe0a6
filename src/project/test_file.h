// tests/*.yaml: unit tests of models. Words: docs/project.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "project/file_context.h"

namespace caudal {

struct TestFile {
  UnitTest test;
  Place model_place;
  std::map<std::string, Place> given_places;  // by table
  /// Where a row names a column: (table, column) -> first place; table "" is `expect`.
  std::map<std::pair<std::string, std::string>, Place> column_places;
};

/// One test or a list of them; `name` is the file's.
std::vector<TestFile> ParseTestFile(const YamlNode& root, const std::string& name, const FileContext& file);

}  // namespace caudal
