#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "connect/source_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

// What DuckDB makes of the SQL is tested in tests/e2e/test_existing_tables.py, on tables that others wrote.
class Delta : public ::testing::Test {
 protected:
  void Log(const std::string& table, const std::string& name) const {
    std::filesystem::create_directories(folder / ("lake/" + table + "/_delta_log"));
    std::ofstream(folder / ("lake/" + table + "/_delta_log/" + name)) << "{}";
  }
  SourceRequest Request(const Json& stream, const std::string& cursor = "") const {
    SourceRequest request;
    request.source = "old";
    request.stream = "orders";
    request.project_folder = folder.path();
    request.options = R"({"location":"lake"})";
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  Result<RelationRead> Read(const Json& stream, const std::string& cursor = "") {
    source = connector.make_relation();
    return source->Read(Request(stream, cursor));
  }
  std::string Scan(const std::string& table, int version) const {
    return "SELECT * FROM delta_scan('" + (folder / ("lake/" + table)) + "', version := " + std::to_string(version) + ")";
  }

  TempFolder folder;
  std::unique_ptr<RelationSource> source;
  const Connector& connector = **BuiltinRegistry().Find("delta");
};

TEST_F(Delta, ReadsTheNewestVersionOrTheOneThatIsNamed) {
  Log("orders", "00000000000000000007.json");
  Log("orders", "00000000000000000009.checkpoint.parquet");
  for (const char* other : {"_last_checkpoint", "00000000000000000011.crc", "notes.json", "0000000000000000000x.json"}) Log("orders", other);
  EXPECT_EQ(Read(Json::object())->sql, Scan("orders", 9));
  EXPECT_EQ(Read({{"version", 3}})->sql, Scan("orders", 3));
  EXPECT_EQ(Read({{"select", {"a", "b c"}}})->sql.substr(0, 20), R"(SELECT "a", "b c" FR)");
  EXPECT_THAT(Read({{"version", 10}}).error().message, HasSubstr("no version 10, its newest is 9"));
  Log("crm/customers", "00000000000000000000.json");
  EXPECT_EQ(Read({{"table", "crm/customers"}})->sql, Scan("crm/customers", 0));
}

TEST_F(Delta, ReadsAgainWhatHasANewVersion) {
  Log("orders", "00000000000000000000.json");
  ASSERT_TRUE(Read(Json::object()));
  const std::string cursor = source->Cursor(Request(Json::object()), Cell())->cursor;
  EXPECT_TRUE(Read(Json::object(), cursor)->unchanged);
  EXPECT_FALSE(Read({{"select", {"a"}}}, cursor)->unchanged) << "other words, other rows";
  Log("orders", "00000000000000000001.json");
  EXPECT_FALSE(Read(Json::object(), cursor)->unchanged);
}

TEST_F(Delta, SaysWhatIsNoTable) {
  std::filesystem::create_directories(folder / "lake/plain");
  EXPECT_THAT(Read({{"table", "plain"}}).error().message, HasSubstr("no Delta table, it has no commit in _delta_log"));
  EXPECT_EQ(Read({{"table", "nowhere"}}).error().kind, ErrorKind::kNotFound);
  for (const char* out : {"/etc", "../lake", "a/../../b"}) {
    EXPECT_THAT(Read({{"table", out}}).error().message, HasSubstr("without '..'")) << out;
  }
}

}  // namespace
}  // namespace caudal
