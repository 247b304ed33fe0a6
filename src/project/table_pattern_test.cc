// Patterns of tables: what each stands for by the source's catalog, without one, and every way in which a source may not fit.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "project/project_fixture.h"
#include "project/table_pattern.h"

namespace caudal {
namespace {

ConnectorSpec Base() {
  const auto option = [](const char* name, bool required) {
    OptionSpec spec;
    spec.name = name;
    spec.required = required;
    return spec;
  };
  ConnectorSpec base;
  base.name = "base";
  base.shape = SourceShape::kRelation;
  base.discovers = base.incremental = base.may_repeat = true;
  base.table_option = "table";
  base.schema_option = "schema";
  base.options = {option("host", true), option("schema", false)};
  base.options[1].default_value = "public";
  base.stream_options = {option("table", false), option("schema", false), option("query", false), option("select", false)};
  base.stream_options[2].excludes = {"table", "schema", "select"};
  base.stream_options[3].type = OptionType::kStringList;
  return base;
}

OfferedTable Offer(const std::string& schema, const std::string& table, std::vector<std::string> key = {"id"}, const std::string& since = "t1",
                   const std::string& gone = "") {
  return {schema, table, std::move(key), {"id", "name", "updated_at"}, since, gone};
}

SourceCatalog Catalog(std::vector<OfferedTable> tables) { return {"t1", "t1", std::move(tables)}; }

struct Asked {
  Files files;
  Catalogs catalogs = {};
  std::map<std::string, Schema> published = {};
};

LoadOutcome LoadAsked(Asked asked) {
  asked.files.emplace("caudal.yaml", kConfig);
  const Folder folder(asked.files);
  static const std::vector<ConnectorSpec> kBoth = [] {
    std::vector<ConnectorSpec> specs = Specs();
    specs.push_back(Base());
    return specs;
  }();
  FakeAnalyzer analyzer;
  LoadOptions options;
  options.folder = folder.path();
  options.connectors = &kBoth;
  options.analyzer = &analyzer;
  options.catalogs = std::move(asked.catalogs);
  options.published = std::move(asked.published);
  return LoadProject(options);
}

LoadOutcome Erp(const std::string& rest, const Catalogs& catalogs, const Files& more = {}) {
  Files files{{"sources/erp.yaml", "type: base\nhost: db\n" + rest}};
  files.insert(more.begin(), more.end());
  return LoadAsked({files, catalogs});
}

Catalogs Known(std::vector<OfferedTable> tables) { return {{"erp", Catalog(std::move(tables))}}; }

std::vector<std::string> Tables(const LoadOutcome& outcome) {
  std::vector<std::string> tables;
  if (outcome.project) {
    for (const Node& node : outcome.project->nodes) tables.push_back(node.table);
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

const StreamConfig& StreamOf(const LoadOutcome& outcome, const std::string& table) { return outcome.project->stream(*outcome.project->Find(table)); }

using Names = std::vector<std::string>;

TEST(TablePattern, StandsForTablesWithWordsKeysAndPlace) {
  const LoadOutcome outcome = Erp(
      "resource_defaults: {description: all of them}\n"
      "tables:\n"
      "  - {match: 'orders*', exclude: '*_old', write_disposition: merge, incremental: {cursor: updated_at}, checks: [{unique: id}], freshness: 2h}\n"
      "  - {match: sales.*, write_disposition: replace, priority: 3}\n",
      Known({Offer("public", "orders", {"id", "name"}), Offer("public", "orders_old"), Offer("public", "notes"), Offer("sales", "Order Lines"), Offer("sales", "lots"), Offer("other", "orders")}));
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  EXPECT_EQ(Joined(outcome), "");
  EXPECT_EQ(Tables(outcome), (Names{"erp.orders", "erp.sales_lots", "erp.sales_order_lines"}));
  const StreamConfig& orders = StreamOf(outcome, "erp.orders");
  EXPECT_EQ(orders.write_disposition, WriteDisposition::kMerge);
  EXPECT_EQ(orders.primary_key, (Names{"id", "name"}));
  EXPECT_EQ(orders.description, "all of them");
  EXPECT_EQ(orders.pattern, "orders*");
  EXPECT_EQ(orders.at_source, "public.orders");
  EXPECT_EQ(orders.place.ToString(), "sources/erp.yaml:5:5");
  EXPECT_EQ(orders.checks.size(), 1u);
  EXPECT_FALSE(orders.appeared);
  EXPECT_EQ(*ParseJson(orders.options, ""), *ParseJson(R"({"incremental":{"cursor":"updated_at"},"primary_key":["id","name"],"schema":"public","table":"orders"})", ""));
  EXPECT_EQ(outcome.project->ExpectedOf("erp.orders").freshness, std::chrono::hours(2));
  const StreamConfig& lines = StreamOf(outcome, "erp.sales_order_lines");
  EXPECT_EQ(*ParseJson(lines.options, ""), *ParseJson(R"({"schema":"sales","table":"Order Lines"})", "")) << "replaced as a whole, it needs no key";
  EXPECT_EQ(lines.priority, 3);
}

TEST(TablePattern, ADotNamesTheSchemaAndOneWordIsAList) {
  const auto tables = [](const std::string& rest) {
    return Tables(Erp("resource_defaults: {write_disposition: replace}\n" + rest, Known({Offer("public", "a"), Offer("sales", "a"), Offer("stock", "b")})));
  };
  EXPECT_EQ(tables("tables: '*'\n"), (Names{"erp.a"}));
  EXPECT_EQ(tables("tables: public.*\n"), (Names{"erp.a"}));
  EXPECT_EQ(tables("tables: '*.*'\n"), (Names{"erp.a", "erp.sales_a", "erp.stock_b"}));
  EXPECT_EQ(tables("tables: {match: '*.*', exclude: [a]}\n"), (Names{"erp.stock_b"})) << "what is left out is so in any schema";
  EXPECT_EQ(tables("tables: ['s*.?']\n"), (Names{"erp.sales_a", "erp.stock_b"}));
  EXPECT_EQ(tables("schema: sales\ntables: ['*', public.a]\n"), (Names{"erp.a", "erp.public_a"}));
}

TEST(TablePattern, WhatIsWrittenWins) {
  const LoadOutcome outcome = Erp(
      "resource_defaults: {write_disposition: replace}\ntables: ['*', sales.*]\nstreams:\n"
      "  customers: {table: cust, priority: 5}\n  lots: {schema: sales}\n  days: {query: SELECT 1}\n  Shops: {}\n",
      Known({Offer("public", "cust"), Offer("public", "days"), Offer("sales", "lots"), Offer("public", "rest")}));
  EXPECT_NE(Joined(outcome).find("the stream 'Shops' is no name"), std::string::npos) << Joined(outcome);
  const LoadOutcome good = Erp(
      "resource_defaults: {write_disposition: replace}\ntables: ['*', sales.*]\nstreams:\n"
      "  customers: {table: cust, priority: 5}\n  lots: {schema: sales}\n  days: {query: SELECT 1}\n  shops: {}\n",
      Known({Offer("public", "cust"), Offer("public", "days"), Offer("public", "SHOPS"), Offer("sales", "lots"), Offer("public", "rest")}));
  EXPECT_EQ(Joined(good), "");
  EXPECT_EQ(Tables(good), (Names{"erp.customers", "erp.days", "erp.lots", "erp.rest", "erp.shops"}));
  EXPECT_EQ(StreamOf(good, "erp.rest").pattern, "*");
}

TEST(TablePattern, TheFirstPatternThatMatchesCounts) {
  const LoadOutcome outcome = Erp("tables:\n- {match: a, write_disposition: replace}\n- {match: '*', write_disposition: merge}\n", Known({Offer("public", "a"), Offer("public", "b")}));
  EXPECT_EQ(Joined(outcome), "");
  EXPECT_EQ(StreamOf(outcome, "erp.a").write_disposition, WriteDisposition::kReplace);
  EXPECT_EQ(StreamOf(outcome, "erp.b").write_disposition, WriteDisposition::kMerge);
}

TEST(TablePattern, TwoTablesOfOneLakeNameAreNamed) {
  const LoadOutcome outcome = Erp("resource_defaults: {write_disposition: replace}\ntables: ['*', sales.*]\n",
                                  Known({Offer("public", "sales_a"), Offer("sales", "a"), Offer("public", "fine")}));
  ASSERT_TRUE(outcome.project);
  EXPECT_EQ(Joined(outcome),
            "warning: sources/erp.yaml:4:15: public.sales_a and sales.a would both be the table erp.sales_a; leave one of them out by `exclude:`, or write it "
            "under `streams:` with a name of its own and `table:`");
  EXPECT_TRUE(StreamOf(outcome, "erp.sales_a").refused);
  EXPECT_FALSE(StreamOf(outcome, "erp.fine").refused);
  const LoadOutcome written = Erp("resource_defaults: {write_disposition: replace}\ntables: '*'\nstreams: {a: {table: other}}\n", Known({Offer("public", "a"), Offer("public", "other")}));
  EXPECT_NE(Joined(written).find("the stream 'a' (sources/erp.yaml:5:11) and public.a would both be the table erp.a"), std::string::npos) << Joined(written);
  EXPECT_TRUE(StreamOf(written, "erp.a").refused);
}

TEST(TablePattern, TablesThatDoNotFitAreRefusedByNameAndTheRestIsGood) {
  OfferedTable plain{"public", "plain", {"id"}, {"id"}, "t1", ""};
  const LoadOutcome outcome = Erp("tables: {match: '*', write_disposition: merge, incremental: updated_at}\n",
                                  Known({Offer("public", "good"), plain, Offer("public", "a", {}), Offer("public", "b", {})}));
  EXPECT_EQ(Joined(outcome),
            "warning: sources/erp.yaml:3:9: 2 tables of the pattern '*' are without a primary key, which `merge` needs: public.a, public.b; a run cannot load them; "
            "leave out by `exclude:` what is not meant, or write it under `streams:`\n"
            "warning: sources/erp.yaml:3:9: public.plain is without the column 'updated_at', which `incremental` names; a run cannot load it; leave out by "
            "`exclude:` what is not meant, or write it under `streams:`");
  EXPECT_EQ(Tables(outcome).size(), 4u);
  EXPECT_EQ(StreamOf(outcome, "erp.plain").refused->next, "leave it out by `exclude: public.plain`, or write it under `streams:`");
  EXPECT_FALSE(StreamOf(outcome, "erp.good").refused);
  const LoadOutcome keyed = Erp("tables: {match: '*', primary_key: code}\n", Known({Offer("public", "a", {})}));
  EXPECT_NE(Joined(keyed).find("public.a is without the column 'code', which `primary_key` names"), std::string::npos) << Joined(keyed);
}

TEST(TablePattern, APatternThatMatchesNothingRefusesTheSource) {
  const LoadOutcome outcome = Erp("resource_defaults: {write_disposition: replace}\ntables: [a, sales.*]\n", Known({Offer("public", "a"), Offer("sales", "x", {}, "t1", "t2")}));
  EXPECT_EQ(Joined(outcome), "warning: sources/erp.yaml:4:13: the pattern 'sales.*' matches no table of erp; correct `match:`, or take the pattern out; there are: public.a");
  ASSERT_TRUE(outcome.project->sources[0].refused);
  EXPECT_EQ(StreamOf(outcome, "erp.sales_x").gone, "t2") << "what was loaded stays a table of the project";
}

TEST(TablePattern, ASourceThatWasNeverAskedIsReadByWhatIsNamed) {
  const Files models{{"models/silver/o.sql", "SELECT * FROM erp.orders\n--gives id BIGINT\n"},
                     {"models/silver/l.sql", "SELECT * FROM erp.sales_lines\n--gives id BIGINT\n"},
                     {"pipelines/daily.yaml", "run: [erp.days+, 'source:erp', 'erp.x*']\n"}};
  const LoadOutcome outcome = Erp("resource_defaults: {write_disposition: replace}\ntables: ['*', {match: sales.l*, freshness: 2h}]\n", {}, models);
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  EXPECT_EQ(Joined(outcome),
            "warning: sources/erp.yaml:4:10: the tables of erp are not known yet: it was never asked; `caudal run` asks it; `caudal sources erp --check` asks it "
            "without loading anything");
  EXPECT_EQ(Tables(outcome), (Names{"erp.days", "erp.orders", "erp.sales_lines", "silver.l", "silver.o"}));
  EXPECT_EQ(outcome.project->Find("silver.o")->upstream, (Names{"erp.orders"}));
  const LoadOutcome merged = Erp("tables: {match: '*', write_disposition: merge}\n", {}, {{"models/silver/o.sql", "SELECT * FROM erp.orders\n--gives id BIGINT\n"}});
  EXPECT_TRUE(StreamOf(merged, "erp.orders").refused) << "without its key it must not be loaded";
  const LoadOutcome other = Erp("resource_defaults: {write_disposition: replace}\ntables: [stock.*]\n", {}, {{"models/silver/o.sql", "SELECT * FROM erp.orders\n--gives id BIGINT\n"}});
  EXPECT_NE(Joined(other).find("nothing makes the table erp.orders"), std::string::npos) << Joined(other);
}

TEST(TablePattern, WhatTheLakeHasStandsInForALostCatalog) {
  const LoadOutcome outcome = LoadAsked({{{"sources/erp.yaml", "type: base\nhost: db\ntables: {match: '*', exclude: b, write_disposition: replace}\n"}},
                                         {},
                                         {{"erp.a", Schema{}}, {"erp.a__rejects", Schema{}}, {"erp.b", Schema{}}}});
  EXPECT_EQ(Tables(outcome), (Names{"erp.a"}));
}

TEST(TablePattern, ATableThatIsNamedAndNotThereIsAWarning) {
  const LoadOutcome outcome = Erp("resource_defaults: {write_disposition: replace}\ntables: '*'\n", Known({Offer("public", "a")}),
                                  {{"models/silver/o.sql", "SELECT * FROM erp.orders\n--gives id BIGINT\n"}});
  EXPECT_EQ(Joined(outcome), "warning: models/silver/o.sql:1:15: source erp has no table for erp.orders, which the project reads; correct the name where it is read, or make the table at the source");
  EXPECT_TRUE(StreamOf(outcome, "erp.orders").refused);
}

TEST(TablePattern, MistakesOfThePatternAreToldOnce) {
  const LoadOutcome outcome = Erp("tables:\n- {exclude: a}\n- {match: '*', write_disposition: replace, incremental: updated_at, tabel: x}\n- {match: x, table: y, select: ['${NAME}']}\n",
                                  Known({Offer("public", "a"), Offer("public", "b")}));
  EXPECT_FALSE(outcome.project);
  const std::string all = Joined(outcome);
  for (const char* told : {"sources/erp.yaml:4:3: an entry of 'tables' needs 'match', the names of tables", "the pattern '*' is replaced as a whole and cannot be incremental",
                           "unknown word 'tabel' in the pattern '*'", "a pattern cannot say 'table': its tables come from 'match'"}) {
    EXPECT_NE(all.find(told), std::string::npos) << told << " is not in\n" << all;
  }
  const LoadOutcome files = LoadAsked({{{"sources/f.yaml", "type: files\nlocation: d\ntables: '*'\n"}}});
  EXPECT_EQ(Joined(files), "sources/f.yaml:3:9: the connector files does not take 'tables'; write streams: {<name>: {...}}");
}

TEST(TablePattern, EachSourceOfAListHasItsOwnTables) {
  const LoadOutcome outcome = LoadAsked({{{"sources/x.yaml", "type: base\nfor_each: [north, south]\nname: db_$each\nhost: $each\ntables: {match: '*', write_disposition: replace}\n"}},
                                         {{"db_north", Catalog({Offer("public", "a")})}, {"db_south", Catalog({Offer("public", "a"), Offer("public", "b", {}, "t2")})}}});
  EXPECT_EQ(Joined(outcome), "");
  EXPECT_EQ(Tables(outcome), (Names{"db_north.a", "db_south.a", "db_south.b"}));
  EXPECT_TRUE(StreamOf(outcome, "db_south.b").appeared);
}

TEST(Catalog, RemembersWhatCameAndWhatWent) {
  const SourceCatalog first = NextCatalog(nullptr, {Offer("p", "b"), Offer("p", "a")}, "t1");
  EXPECT_TRUE(IsNews(nullptr, first));
  EXPECT_EQ(first.tables[0].table, "a");
  EXPECT_FALSE(IsNews(&first, NextCatalog(&first, {Offer("p", "a"), Offer("p", "b")}, "t2")));
  const SourceCatalog second = NextCatalog(&first, {Offer("p", "a"), Offer("p", "c")}, "t2");
  EXPECT_TRUE(IsNews(&first, second));
  EXPECT_EQ(second.first_asked, "t1");
  EXPECT_EQ(second.tables[1].gone, "t2");
  EXPECT_EQ(second.tables[2].since, "t2");
  const SourceCatalog third = NextCatalog(&second, {Offer("p", "a"), Offer("p", "c")}, "t3");
  EXPECT_TRUE(IsNews(&second, third)) << "what was just gone is not so any more";
  EXPECT_EQ(third.tables[1].gone, "t2");
  const SourceCatalog fourth = NextCatalog(&third, {Offer("p", "a"), Offer("p", "c")}, "t4");
  EXPECT_FALSE(IsNews(&third, fourth));
  const SourceCatalog back = NextCatalog(&third, {Offer("p", "a"), Offer("p", "b"), Offer("p", "c")}, "t5");
  EXPECT_TRUE(back.tables[1].gone.empty());
  EXPECT_EQ(back.tables[1].since, "t1");
}

TEST(Catalog, IsKeptWholeAndRubbishWasNeverAsked) {
  const Folder folder(Files{{"caudal.yaml", kConfig}});
  EXPECT_TRUE(ReadCatalogs(folder.path()).empty());
  const SourceCatalog catalog = NextCatalog(nullptr, {Offer("p", "größe"), Offer("", "x", {})}, "t1");
  ASSERT_TRUE(WriteCatalog(folder.path(), "erp", catalog));
  ASSERT_TRUE(WriteCatalog(folder.path(), "erp", catalog));
  folder.Write(".caudal/catalogs/half.json", "{\"format\": 1, \"tab");
  folder.Write(".caudal/catalogs/erp.json.0123", "{}");
  const Catalogs read = ReadCatalogs(folder.path());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read.at("erp").tables, catalog.tables);
  EXPECT_EQ(read.at("erp").first_asked, "t1");
  folder.Write("blocked/.caudal", "a file");
  EXPECT_FALSE(WriteCatalog(folder.path() + "/blocked", "erp", catalog));
}

}  // namespace
}  // namespace caudal
