#include "lake/table_config.h"

#include "base/json.h"
#include "lake/lake_fixture.h"
#include "lake/replay.h"

namespace caudal {
namespace {

class TableConfig : public LakeFixture {
 protected:
  static TableDefinition Of(const std::vector<std::pair<std::string, std::string>>& columns,
                            std::vector<std::string> partition_columns = {}, std::vector<std::string> key = {}) {
    return TableDefinition{"t", Columns(columns), std::move(partition_columns), std::move(key), {}};
  }

  static Result<LogMetadata> Next(const Snapshot* before, const TableDefinition& definition, bool all_replaced = false) {
    return NextMetadata(before, definition, all_replaced, "id", TestTime());
  }

  static Snapshot SnapshotOf(const TableDefinition& definition) {
    Snapshot snapshot;
    ApplyMetadata(Next(nullptr, definition).value(), snapshot);
    return snapshot;
  }

  static Snapshot After(const Snapshot& before, const TableDefinition& definition) {
    Snapshot snapshot = before;
    ApplyMetadata(Next(&before, definition).value(), snapshot);
    return snapshot;
  }

  static std::int32_t Id(const Schema& schema, std::string_view name) { return schema.Find(name)->id; }
};

TEST_F(TableConfig, RefusesWhatIsNoTable) {
  struct Case {
    TableDefinition definition;
    const char* says;
  };
  for (const Case& c : {Case{Of({}), "at least one column"},
                        Case{Of({{"a", "BIGINT"}, {"A", "DATE"}}), "two columns"},
                        Case{Of({{"", "BIGINT"}}), "no name"},
                        Case{Of({{"_hoodie_x", "BIGINT"}}), "Hudi"},
                        Case{Of({{"a\nb", "BIGINT"}}), "control character"},
                        Case{Of({{"a", "BIGINT"}}, {}, {"b"}), "key column 'b' is not a column of the table; columns: a"},
                        Case{Of({{"a", "BIGINT[]"}}, {}, {"a"}), "must be a single value"},
                        Case{Of({{"a", "BLOB"}, {"b", "DATE"}}, {"a"}, {}), "must be a single value"},
                        Case{Of({{"a", "BIGINT"}, {"b", "DATE"}}, {"a", "A"}, {}), "twice"},
                        Case{Of({{"a", "BIGINT"}}, {"a"}, {}), "every column"}}) {
    auto next = Next(nullptr, c.definition);
    ASSERT_FALSE(next) << c.says;
    EXPECT_EQ(next.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(next.error().message.find(c.says), std::string::npos) << next.error().message;
  }
  TableDefinition reserved = Of({{"a", "BIGINT"}});
  reserved.properties["recordKey"] = "a";
  EXPECT_FALSE(Next(nullptr, reserved));
}

TEST_F(TableConfig, NamesFollowTheTableSpelling) {
  Snapshot before = SnapshotOf(Of({{"Id", "BIGINT"}, {"Day", "DATE"}}, {"day"}, {"ID"}));
  EXPECT_EQ(before.partition_columns, std::vector<std::string>{"Day"});
  EXPECT_EQ(before.key, std::vector<std::string>{"Id"});
  Snapshot after = After(before, Of({{"id", "BIGINT"}, {"DAY", "DATE"}}, {"DAY"}, {"id"}));
  EXPECT_EQ(after.schema.fields[0].name, "Id");
  EXPECT_TRUE(SameMetadata(before, Next(&before, Of({{"id", "BIGINT"}, {"DAY", "DATE"}}, {"DAY"}, {"id"})).value()));
}

TEST_F(TableConfig, AddsAndWidens) {
  Snapshot before = SnapshotOf(Of({{"a", "INTEGER"}, {"d", "DECIMAL(10,2)"}}));
  Snapshot after = After(before, Of({{"new", "VARCHAR[]"}, {"a", "BIGINT"}, {"d", "DECIMAL(12,2)"}}));
  EXPECT_EQ(Id(after.schema, "a"), 1);
  EXPECT_EQ(Id(after.schema, "d"), 2);
  EXPECT_EQ(Id(after.schema, "new"), 3);
  EXPECT_EQ(after.configuration.at("caudal.maxFieldId"), "4");
  EXPECT_EQ(after.configuration.at("caudal.schemaId"), "1");
}

TEST_F(TableConfig, RefusesOtherTypesWhileFilesLive) {
  Snapshot before = SnapshotOf(Of({{"a", "BIGINT"}, {"b", "VARCHAR"}, {"p", "DATE"}}, {"p"}));
  for (const auto& next : {Of({{"a", "INTEGER"}, {"b", "VARCHAR"}, {"p", "DATE"}}, {"p"}),
                           Of({{"a", "BIGINT"}, {"b", "BIGINT"}, {"p", "DATE"}}, {"p"}),
                           Of({{"a", "BIGINT"}, {"b", "VARCHAR"}, {"p", "TIMESTAMPTZ"}}, {"p"}),
                           Of({{"a", "BIGINT"}, {"b", "VARCHAR"}, {"p", "DATE"}}, {})}) {
    EXPECT_FALSE(Next(&before, next)) << "files of the old form live on";
    EXPECT_TRUE(Next(&before, next, true)) << "every file is replaced";
  }
  auto replaced = Next(&before, Of({{"a", "INTEGER"}, {"b", "VARCHAR"}, {"p", "DATE"}}, {"p"}), true).value();
  EXPECT_EQ(Id(replaced.schema, "a"), 4) << "another type is another column";
  EXPECT_EQ(Id(replaced.schema, "b"), 2);
}

TEST_F(TableConfig, ADroppedNameIsBurnt) {
  Snapshot first = SnapshotOf(Of({{"a", "BIGINT"}, {"b", "VARCHAR"}}));
  Snapshot dropped = After(first, Of({{"a", "BIGINT"}}));
  EXPECT_NE(dropped.configuration.at("caudal.dropped").find("\"b\""), std::string::npos);
  auto other = Next(&dropped, Of({{"a", "BIGINT"}, {"B", "DATE"}}));
  ASSERT_FALSE(other) << "readers by name would show the old text under the new column";
  EXPECT_NE(other.error().message.find("was dropped as VARCHAR"), std::string::npos) << other.error().message;
  Snapshot back = After(dropped, Of({{"a", "BIGINT"}, {"b", "VARCHAR"}}));
  EXPECT_EQ(Id(back.schema, "b"), 2) << "the same column comes back, under its own id";
  EXPECT_FALSE(back.configuration.contains("caudal.dropped"));
  auto fresh = Next(&dropped, Of({{"a", "BIGINT"}, {"b", "DATE"}}), true).value();
  EXPECT_EQ(Id(fresh.schema, "b"), 3) << "no file holds the old column any more";
  Snapshot later = After(dropped, Of({{"a", "BIGINT"}, {"c", "DATE"}}));
  EXPECT_FALSE(Next(&later, Of({{"a", "BIGINT"}, {"c", "DATE"}, {"b", "DATE"}}))) << "burnt for good";
}

TEST_F(TableConfig, SaysBeforeTheCommitWhichIdsItWillGive) {
  Snapshot before = SnapshotOf(Of({{"id", "BIGINT"}, {"x", "BIGINT"}, {"gone", "DATE"}}));
  TableDefinition next = Of({{"x", "VARCHAR"}, {"id", "BIGINT"}, {"fresh", "DATE"}});
  auto columns = NextColumns(&before, next.schema, true);
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(SchemaToJson(*columns), SchemaToJson(Next(&before, next, true)->schema));
  EXPECT_NE(Id(*columns, "x"), Id(before.schema, "x")) << "of another type: another column";
  EXPECT_EQ(Id(*columns, "id"), Id(before.schema, "id"));
  EXPECT_FALSE(NextColumns(&before, next.schema, false)) << "files of the old type live on";
}

}  // namespace
}  // namespace caudal
