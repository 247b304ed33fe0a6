#include "flow/contract_check.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

Schema Columns(std::initializer_list<const char*> names) {
  Schema schema;
  for (const char* name : names) schema.fields.push_back(Field{name, *ParseType("BIGINT"), 0});
  return schema;
}

class ContractCheck : public ::testing::Test {
 protected:
  ContractCheck() {
    x_base.schema = Columns({"id", "city", "_source_file", "_source_row"});
    Csv("a.csv", {"ID", "city"});
  }
  void Csv(const std::string& origin, std::vector<std::string> columns) {
    StagedChunk& chunk = x_chunks.emplace_back();
    chunk.origin = origin;
    chunk.format.columns = std::move(columns);
  }
  Result<Schema> Look(ContractMode mode, std::initializer_list<const char*> found, bool again = false) {
    x_stream.contract.columns = mode;
    x_found = Columns(found);
    x_drift.clear();
    return LookAtColumns({"s.t", x_stream, x_base, x_chunks, x_complete, again}, x_found, x_drift);
  }

  StreamConfig x_stream;
  Snapshot x_base;
  std::vector<StagedChunk> x_chunks;
  bool x_complete = false;
  Schema x_found;
  std::vector<Drift> x_drift;
};

TEST_F(ContractCheck, NewColumns) {
  Csv("b.csv", {"id", "city", "zip"});
  auto refused = Look(ContractMode::kEvolve, {"id", "city", "zip"});
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->fields.empty());
  ASSERT_EQ(x_drift.size(), 1U);
  EXPECT_EQ(x_drift[0].kind, DriftKind::kNewColumn);
  EXPECT_EQ(x_drift[0].origin, "b.csv");
  for (const ContractMode mode : {ContractMode::kDiscardRow, ContractMode::kDiscardValue}) {
    refused = Look(mode, {"id", "city", "zip"});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->fields.at(0).name, "zip");
    EXPECT_EQ(x_found.fields.size(), 2U);
  }
  refused = Look(ContractMode::kFreeze, {"id", "city", "zip"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "s.t was not loaded: column zip is new in b.csv, as BIGINT; its contract freezes columns");
  ASSERT_EQ(x_drift.size(), 1U);
  EXPECT_EQ(x_drift[0].kind, DriftKind::kFrozen);
  refused = Look(ContractMode::kFreeze, {"id", "city", "zip"}, true);
  ASSERT_TRUE(refused) << "raw objects that were loaded before";
  EXPECT_EQ(refused->fields.size(), 1U);
  x_stream.columns.push_back({"Zip", std::nullopt, "", {}, {}});
  refused = Look(ContractMode::kFreeze, {"id", "city", "zip"});
  ASSERT_TRUE(refused) << "a column that the project names is wanted";
  EXPECT_TRUE(refused->fields.empty());
}

TEST_F(ContractCheck, MissingColumns) {
  Csv("b.csv", {"id"});
  ASSERT_TRUE(Look(ContractMode::kEvolve, {"id", "city"}));
  ASSERT_EQ(x_drift.size(), 1U);
  EXPECT_EQ(DriftInWords(x_drift[0]), "column city is missing, it is NULL (b.csv)");
  EXPECT_FALSE(Look(ContractMode::kFreeze, {"id", "city"}));
  x_chunks.clear();
  StagedChunk& chunk = x_chunks.emplace_back();
  chunk.origin = "c.ndjson";
  chunk.format.kind = "ndjson";
  EXPECT_TRUE(Look(ContractMode::kFreeze, {"id"})) << "a member of a record may be absent";
  chunk.format.kind = "parquet";
  x_complete = true;
  EXPECT_FALSE(Look(ContractMode::kFreeze, {"id"}));
}

TEST_F(ContractCheck, TypesAndTables) {
  Drift misfit;
  misfit.kind = DriftKind::kRejectedValues;
  misfit.column = "id";
  misfit.type = "BIGINT";
  misfit.values = 1;
  EXPECT_TRUE(RefuseMisfits("s.t", x_stream, {misfit}));
  x_stream.contract.data_type = ContractMode::kFreeze;
  EXPECT_FALSE(RefuseMisfits("s.t", x_stream, {misfit}));
  EXPECT_TRUE(RefuseMisfits("s.t", x_stream, {}));
}

}  // namespace
}  // namespace caudal
