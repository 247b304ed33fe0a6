// What the tests of this room share: a folder that goes away, staged files, and the smallest table.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "lake/table.h"

namespace caudal {

class LakeFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/lakeXXXXXX";
    x_folder = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(x_folder); }

  /// A staged file with some bytes; nobody in this room looks into it.
  WrittenFile Stage(std::int64_t rows, std::map<std::string, Cell> partition = {}) {
    WrittenFile file;
    file.path = x_folder + "/staged-" + std::to_string(x_staged++) + ".parquet";
    std::string bytes = "PAR1" + file.path;
    std::ofstream(file.path, std::ios::binary) << bytes;
    file.rows = rows;
    file.size_bytes = static_cast<std::int64_t>(bytes.size());
    file.partition = std::move(partition);
    file.columns["id"] = ColumnStats{"1", std::to_string(rows), 0, false};
    return file;
  }

  static Schema Columns(const std::vector<std::pair<std::string, std::string>>& columns) {
    Schema schema;
    for (const auto& [name, type] : columns) schema.fields.push_back(Field{name, std::move(ParseType(type)).value(), 0});
    return schema;
  }

  static TableDefinition Orders(std::vector<std::string> partition_columns = {}) {
    return TableDefinition{"silver.orders", Columns({{"id", "BIGINT"}, {"region", "VARCHAR"}, {"amount", "DECIMAL(12,2)"}}),
                           std::move(partition_columns), {"id"}, {}};
  }

  static Change Create(TableDefinition definition) {
    Change change;
    change.operation = "CREATE";
    change.definition = std::move(definition);
    return change;
  }

  static Change Append(std::int64_t base, const std::vector<WrittenFile>& files) {
    Change change;
    change.operation = "APPEND";
    change.kind = ChangeKind::kAppend;
    change.base_version = base;
    change.blind = true;
    for (const WrittenFile& file : files) change.adds.push_back(AddFile{file, ""});
    return change;
  }

  std::string x_folder;
  int x_staged = 0;
};

inline Timestamp TestTime() { return std::move(ParseTimestamp("2026-01-10T10:10:10.101Z")).value(); }

}  // namespace caudal
