// From raw bytes to typed and rejected rows, in a real DuckDB: what src/connect/intake.h promises. It stands here since
// only this room sees both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "connect/excel_testing.h"
#include "connect/intake.h"
#include "connect/source_testing.h"
#include "duckdb/compute.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;

using Table = std::vector<std::vector<std::string>>;

class TypedRows : public ::testing::Test {
 protected:
  TypedRows() {
    StagingOptions options;
    options.folder = folder.path();
    sink = std::make_unique<StagingSink>(std::move(options));
  }
  void Add(const std::string& kind, const std::string& bytes) {
    ChunkFormat format;
    format.kind = kind;
    keys.push_back("raw/" + std::to_string(keys.size()));
    ASSERT_TRUE(sink->Begin("origin", format));
    ASSERT_TRUE(sink->Append(bytes));
    const Status ended = sink->End();
    ASSERT_TRUE(ended) << ended.error().message;
  }
  static ComputeResult Run(const ComputeJob& job) {
    auto connection = *Connection::Open();
    EXPECT_TRUE(connection->Configure(SettingsOf(JobLimits{}, "", true)));
    Result<ComputeResult> result = RunComputeJob(*connection, job, "");
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : ComputeResult{};
  }
  static Schema Of(std::initializer_list<std::pair<const char*, const char*>> columns) {
    Schema schema;
    for (const auto& [name, type] : columns) schema.fields.push_back(Field{name, *ParseType(type), 0});
    return schema;
  }
  static Table Cells(const ComputeResult& result, const char* step) {
    Table table;
    for (const auto& row : result.Find(step)->rows.rows) {
      auto& cells = table.emplace_back();
      for (const Cell& cell : row) cells.push_back(cell.value_or("NULL"));
    }
    return table;
  }
  std::string Inferred() {
    std::string text;
    const Result<Schema> schema = SchemaOfInference(Run(InferenceJob(Read().batches)));
    EXPECT_TRUE(schema);
    if (const auto facts = SchemaOfFacts(read.batches)) {
      EXPECT_TRUE(*facts == *schema);
    }
    for (const Field& field : schema->fields)
      text += (text.empty() ? "" : ", ") + field.name + " " + field.type.ToSql();
    return text;
  }
  const StagedRead& Read() {
    if (sink) read = *sink->Finish();
    sink = nullptr;
    return read;
  }
  /// Fills typed and rejected.
  void Type(const Schema& schema, Misfit misfit = Misfit::kReject) {
    ComputeJob job;
    AddTypedRows(job, Read(), keys, schema, misfit, "run/task", FromMilliseconds(0));
    for (const auto& [name, sql] :
         {std::pair{"typed", "SELECT * FROM typed ORDER BY _source_file, _source_row"},
          std::pair{"rejected",
                    "SELECT _reason, _column, _value, _row, _source_file, _source_row FROM rejected ORDER BY 5, 6"},
          std::pair{"misfits", "SELECT _column, _value, _source_file, _source_row FROM misfits ORDER BY 3, 4, 1"}}) {
      Step step;
      step.kind = Step::Kind::kQuery;
      step.name = std::string("answer ") + name;
      step.sql = sql;
      step.max_rows = 1000000;
      job.steps.push_back(step);
    }
    const ComputeResult result = Run(job);
    typed = Cells(result, "answer typed");
    rejected = Cells(result, "answer rejected");
    misfits = Cells(result, "answer misfits");
  }

  TempFolder folder;
  std::unique_ptr<StagingSink> sink;
  StagedRead read;
  std::vector<std::string> keys;
  Table typed;
  Table rejected;
  Table misfits;
};

TEST_F(TypedRows, LeaveOutWhatDoesNotFitWhereTheContractSaysSo) {
  Add("csv", "a,b\n1,2\nx,3\n4,y\nz,w\n5\n");
  Add("ndjson", R"({"a": 6, "b": {"c": 1}}
{"a": "no", "b": {"c": "no"}}
{"a":
)");
  Type(Of({{"a", "BIGINT"}, {"b", "VARCHAR"}}), Misfit::kNull);
  EXPECT_THAT(typed, ElementsAre(ElementsAre("1", "2", "raw/0", "2"), ElementsAre("NULL", "3", "raw/0", "3"), ElementsAre("4", "y", "raw/0", "4"),
                                 ElementsAre("NULL", "w", "raw/0", "5"), ElementsAre("6", R"({"c":1})", "raw/1", "1"),
                                 ElementsAre("NULL", R"({"c":"no"})", "raw/1", "2")));
  EXPECT_THAT(misfits, ElementsAre(ElementsAre("a", "x", "raw/0", "3"), ElementsAre("a", "z", "raw/0", "5"), ElementsAre("a", "no", "raw/1", "2")));
  EXPECT_EQ(rejected.size(), 2U) << "what is no record has no value to leave out";
  Type(Of({{"a", "BIGINT"}, {"b", "STRUCT(c BIGINT)"}}), Misfit::kNull);
  EXPECT_EQ(typed.back()[1], "NULL") << "a leaf that does not fit";
}

TEST_F(TypedRows, AreTheSameOnTheFastAndOnTheCheckedWay) {
  std::mt19937 random(7);
  const auto number = [&](int most) { return std::to_string(std::uniform_int_distribution<int>(-most, most)(random)); };
  const auto two = [&](int from, int to) {
    const std::string text = std::to_string(std::uniform_int_distribution<int>(from, to)(random));
    return text.size() == 1 ? "0" + text : text;
  };
  std::string csv = "i,big,d,money,day,at,flag,text\n";
  for (int row = 0; row < 5000; ++row) {
    const std::string day = "20" + two(0, 40) + "-" + two(1, 12) + "-" + two(1, 28);
    const bool empty = row % 17 == 0;
    csv += (empty ? "" : number(999999999)) + "," + (empty ? "" : number(1000000000) + "12345678") + "," +
           number(1000) + "." + two(0, 99) + (row % 5 == 0 ? "e-3" : "") + "," + number(100) + "." + two(0, 99) + "," +
           day + "," + day + (row % 2 ? " " : "T") + two(0, 23) + ":" + two(0, 59) +
           (row % 3 ? ":" + two(0, 59) + ".5" : "") +
           (row % 3 == 0 || row % 7 ? ""
            : row % 2               ? "+05:30"
                                    : "Z") +
           "," + (row % 2 ? "true" : "FALSE") + "," + (row % 2 ? "\"a, \"\"b\"\"\"" : "c") + "\n";
  }
  Add("csv", csv);
  const Schema schema = Of({{"i", "INTEGER"},
                            {"big", "BIGINT"},
                            {"d", "DOUBLE"},
                            {"money", "DECIMAL(12,3)"},
                            {"day", "DATE"},
                            {"at", "TIMESTAMPTZ"},
                            {"flag", "BOOLEAN"},
                            {"text", "VARCHAR"}});
  Type(schema);
  EXPECT_EQ(typed.size(), 5000U);
  EXPECT_TRUE(rejected.empty());
  const Table fast = typed;
  for (ColumnFacts& facts : read.batches[0].facts) facts = ColumnFacts{0, true, 0, 0};
  Type(schema);
  EXPECT_EQ(rejected, Table());
  EXPECT_TRUE(typed == fast);
}

TEST_F(TypedRows, RejectValuesThatWouldChange) {
  Add("csv",
      "n,d,m,t,name\n"
      "1,2026-01-31,1.25,2026-01-31 10:00:00,ok\n"
      "1.5,,,,half\n"
      "17850.0,,,,integral\n"
      "abc,,,,word\n"
      ",2026-01-31 10:00,,,hour\n"
      ",2026-02-30,,,no day\n"
      ",,1.255,,cent\n"
      ",,,yesterday,word\n"
      "1,2\n");
  Type(Of({{"n", "BIGINT"}, {"d", "DATE"}, {"m", "DECIMAL(12,2)"}, {"t", "TIMESTAMPTZ"}, {"name", "VARCHAR"}}));
  ASSERT_EQ(typed.size(), 2U);
  EXPECT_THAT(typed[0], ElementsAre("1", "2026-01-31", "1.25", "2026-01-31 10:00:00+00", "ok", "raw/0", "2"));
  EXPECT_THAT(typed[1], ElementsAre("17850", "NULL", "NULL", "NULL", "integral", "raw/0", "4"));
  ASSERT_EQ(rejected.size(), 7U);
  EXPECT_THAT(rejected[0], ElementsAre("not a BIGINT: '1.5'", "n", "1.5",
                                       R"({"n":"1.5","d":null,"m":null,"t":null,"name":"half"})", "raw/0", "3"));
  EXPECT_EQ(rejected[1][0], "not a BIGINT: 'abc'");
  EXPECT_EQ(rejected[2][0], "not a DATE: '2026-01-31 10:00'");
  EXPECT_EQ(rejected[3][0], "not a DATE: '2026-02-30'");
  EXPECT_EQ(rejected[4][0], "not a DECIMAL(12,2): '1.255'");
  EXPECT_EQ(rejected[5][0], "not a TIMESTAMPTZ: 'yesterday'");
  EXPECT_THAT(rejected[6], ElementsAre("has 2 fields, the header has 5", "NULL", "NULL", "1,2", "raw/0", "10"));
  EXPECT_EQ(Read().chunks[0].rows, static_cast<std::int64_t>(typed.size() + rejected.size()));
}

TEST_F(TypedRows, JoinFilesWithOtherHeaders) {
  Add("csv", "a,b\n1,x\n");
  Add("csv", "b,c,A\ny,9,2\n");
  Add("csv", "a,b\n3,z\n");
  Add("csv", "a,b\n");
  EXPECT_EQ(Inferred(), "a BIGINT, b VARCHAR, c BIGINT");
  Type(Of({{"a", "BIGINT"}, {"b", "VARCHAR"}, {"gone", "DATE"}}));
  EXPECT_EQ(
      typed,
      (Table{{"1", "x", "NULL", "raw/0", "2"}, {"2", "y", "NULL", "raw/1", "2"}, {"3", "z", "NULL", "raw/2", "2"}}));
}

TEST_F(TypedRows, HoldWhateverStandsInText) {
  Add("csv", "a,b\n\"x\r\ny\",5\" pipe\n\"q\"\"q\",tab\there\nback\\slash,'\nx\ry,\xE2\x82\xAC\n");
  Type(Of({{"a", "VARCHAR"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(typed, (Table{{"x\r\ny", "5\" pipe", "raw/0", "2"},
                          {"q\"q", "tab\there", "raw/0", "4"},
                          {"back\\slash", "'", "raw/0", "5"},
                          {"x\ry", "\xE2\x82\xAC", "raw/0", "6"}}));
}

TEST_F(TypedRows, HoldLongRecords) {
  Add("csv", "a,b\n" + std::string(5 << 20, 'x') + ",1\n\"short\",2\n");
  Type(Of({{"a", "VARCHAR"}, {"b", "BIGINT"}}));
  ASSERT_EQ(typed.size(), 2U);
  EXPECT_EQ(typed[0][0].size(), std::size_t{5} << 20);
}

TEST_F(TypedRows, ComeFromJson) {
  Add("ndjson",
      "{\"id\":1,\"at\":\"2026-01-31T10:00:00Z\",\"day\":\"2026-01-31\",\"tags\":[\"a\"],\"to\":{\"zip\":\"01\",\"no\":"
      "5},\"p\":1.50}\n"
      "{\"id\":2,\"at\":null,\"tags\":[],\"to\":{\"zip\":\"02\"},\"p\":2}\n");
  EXPECT_EQ(Inferred(),
            "id BIGINT, at TIMESTAMPTZ, day DATE, tags VARCHAR[], to STRUCT(no BIGINT, zip VARCHAR), p DOUBLE");
}

TEST_F(TypedRows, RejectJsonThatDoesNotFit) {
  Add("ndjson",
      "{\"id\":1,\"to\":{\"zip\":\"01\",\"no\":5},\"n\":[1,2]}\n"
      "{\"id\":1.5}\n{\"id\":2,\"to\":{\"no\":\"seven\"}}\n{\"id\":3,\"n\":[1,\"x\"]}\n{\"id\":4\n{\"id\":5,\"to\":7}"
      "\n{}\n");
  Type(Of({{"id", "BIGINT"}, {"to", "STRUCT(zip VARCHAR, \"no\" BIGINT)"}, {"n", "BIGINT[]"}}));
  EXPECT_EQ(typed,
            (Table{{"1", "{'zip': 01, 'no': 5}", "[1, 2]", "raw/0", "1"}, {"NULL", "NULL", "NULL", "raw/0", "7"}}));
  ASSERT_EQ(rejected.size(), 5U);
  EXPECT_EQ(rejected[0][0], "not a BIGINT: '1.5'");
  EXPECT_EQ(rejected[1][1], "to");
  EXPECT_EQ(rejected[2][0], "not a BIGINT[]: '[1,\"x\"]'");
  EXPECT_EQ(rejected[3][0], "is no valid JSON");
  EXPECT_EQ(rejected[4][2], "7");
}

TEST_F(TypedRows, ComeFromParquet) {
  const std::string file = folder / "in.parquet";
  {
    ComputeJob job;
    job.output_folder = folder.path();
    Step step;
    step.kind = Step::Kind::kRun;
    step.sql =
        "COPY (SELECT i AS id, 'x' || i AS name, TIMESTAMP '2026-01-31 10:00' AS at, i * 1.5 AS half FROM range(3) "
        "t(i)) TO '" +
        file + "' (FORMAT parquet)";
    job.steps.push_back(step);
    Run(job);
  }
  Add("parquet", Contents(file));
  EXPECT_EQ(Inferred(), "id BIGINT, name VARCHAR, at TIMESTAMPTZ, half DECIMAL(21,1)");
  Type(Of({{"id", "VARCHAR"}, {"half", "BIGINT"}, {"at", "TIMESTAMPTZ"}, {"more", "DATE"}}));
  EXPECT_EQ(typed, (Table{{"0", "0", "2026-01-31 10:00:00+00", "NULL", "raw/0", "1"},
                          {"2", "3", "2026-01-31 10:00:00+00", "NULL", "raw/0", "3"}}));
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0][0], "not a BIGINT: '1.5'");
  EXPECT_EQ(rejected[0][5], "2");
}

TEST_F(TypedRows, AreTextsWhereTheirBytesAreUtf8) {
  const std::string file = folder / "in.parquet";
  {
    ComputeJob job;
    job.output_folder = folder.path();
    Step step;
    step.kind = Step::Kind::kRun;
    step.sql = "COPY (SELECT i AS id, unnest(['\\xC3\\xA4\\x5Cx41'::BLOB, 'a\\xFF'::BLOB, NULL]) AS name FROM range(1) t(i)) TO '" + file + "' (FORMAT parquet)";
    job.steps.push_back(step);
    Run(job);
  }
  Add("parquet", Contents(file));
  Type(Of({{"id", "BIGINT"}, {"name", "VARCHAR"}}));
  EXPECT_EQ(typed, (Table{{"0", "ä\\x41", "raw/0", "1"}, {"0", "NULL", "raw/0", "3"}}));
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0][0], "not a VARCHAR: 'a\\xFF'");
}

TEST_F(TypedRows, AreNoneWhereNothingCame) {
  Type(Of({{"a", "BIGINT"}}));
  EXPECT_TRUE(typed.empty());
  EXPECT_TRUE(rejected.empty());
}

/// Sheets say what CSV says, and besides that there is no value.
TEST_F(TypedRows, OfASheet) {
  Book book;
  book.styles = {0, 14};
  book.sheets = {{"S", SheetRow(1, TextCell("A1", "id") + TextCell("B1", "day") + TextCell("C1", "note")) +
                           SheetRow(2, NumberCell("A2", "1.0") + NumberCell("B2", "46053", 1) + TextCell("C2", "a\n&quot;b&quot;, c")) +
                           SheetRow(4, NumberCell("A4", "2") + "<c r=\"B4\" t=\"e\"><v>#N/A</v></c><c r=\"C4\" t=\"e\"><v>#REF!</v></c>") +
                           SheetRow(5, NumberCell("A5", "3") + NumberCell("D5", "9")) + SheetRow(6, NumberCell("A6", "4") + NumberCell("B6", "46053.5", 1)) +
                           SheetRow(7, "<c r=\"A7\"><f>A6+1</f></c>")}};
  Add("xlsx", book.Bytes());
  EXPECT_EQ(Inferred(), "id BIGINT, day TIMESTAMPTZ, note VARCHAR");
  Type(Of({{"id", "BIGINT"}, {"day", "DATE"}, {"note", "VARCHAR"}}));
  EXPECT_EQ(typed, (Table{{"1", "2026-01-31", "a\n\"b\", c", "raw/0", "2"}}));
  EXPECT_EQ(rejected, (Table{{"not a DATE: '#N/A'", "day", "#N/A", R"({"id":"2","day":"#N/A","note":"#REF!"})", "raw/0", "4"},
                             {"has a value outside of the header's columns A to C, in D5", "NULL", "NULL", R"({"A":"3","D":"9"})", "raw/0", "5"},
                             {"not a DATE: '2026-01-31 12:00:00'", "day", "2026-01-31 12:00:00", R"({"id":"4","day":"2026-01-31 12:00:00","note":null})", "raw/0", "6"},
                             {"not a BIGINT: '=A6+1'", "id", "=A6+1", R"({"id":"=A6+1","day":null,"note":null})", "raw/0", "7"}}));
}

}  // namespace
}  // namespace caudal
