// Good projects: what the files become, the graph, the hash, the selectors.
#include <gtest/gtest.h>

#include "base/json.h"
#include "project/project_fixture.h"

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Files Shop() {
  return {
      {"caudal.yaml",
       "name: shop\nlake: file:///data/lake\ndefaults: {owner: jen, retries: [1m]}\n"
       "parameters: {limit: 10, from_day: 2024-01-01, label: 'x', rate: 1.5, on: true, big: {type: 'DECIMAL(12,2)', value: 7}}\n"
       "limits: {slots: 4, memory: 512MiB, spill: 2GB}\nformats: [delta]\n"},
      {"sources/shop_files.yaml",
       "type: files\nlocation: drops\ntags: [nightly]\nmax_parallel: 2\nretries: [5m]\n"
       "resource_defaults: {format: json, columns: {id: {checks: [not_null]}}}\n"
       "streams:\n  lines: {glob: '*.json', partition_by: day, columns: {id: {type: BIGINT}, day: DATE}}\n  other:\n"},
      {"sources/api.yaml",
       "type: http\nclient: {base_url: ${API_URL}, token: '${API_TOKEN}', headers: {x-key: '${K}', accept: json}}\n"
       "streams:\n  rates: {write_disposition: merge, primary_key: [day, currency], incremental: {cursor: at, lag: 10m},\n"
       "    endpoint: {path: v1, params: {key: '${P}', n: 3, deep: [a, {b: true}]}}}\n"},
      {"models/silver/orders.sql", "/* caudal:\nmaterialize: {incremental: partitions, partition_by: day, late: 48h}\ntags: fast\n"
                                   "inputs: {api.rates: {on_change: ignore}}\n*/\n"
                                   "SELECT 1 --gives id BIGINT, day DATE, customer_id BIGINT\nFROM shop_files.lines JOIN API.rates"},
      {"models/silver/customers.sql", "/* caudal: {materialize: {snapshot: id}} */ SELECT 1 --gives id BIGINT\nFROM shop_files.other;\n"},
      {"models/gold/sales.sql",
       "/* caudal:\ncolumns: {id: {checks: [{relationships: {to: silver.customers, field: id}}, {max: 5, severity: warn}]}}\n"
       "checks:\n  - {sql: \"SELECT * FROM silver.customers WHERE n > $limit\", severity: warn}\n  - {expression: id < $limit}\n*/\n"
       "SELECT $limit --gives id BIGINT, day DATE\nFROM silver.orders"},
      {"models/gold/all_customers.sql", "SELECT 1 --gives is_current BOOLEAN\nFROM silver.customers"},
      {"pipelines/daily.yaml", "schedule: '30 5 * * mon-fri'\nrun: [+gold.sales, 'tag:nightly']\ndeadline: '09:00'\ntimeout: 2h\nslots: 3\n"},
      {"tests/sales.yaml", "model: gold.sales\ngiven: {silver.orders: [{id: 1, day: 2024-01-01, customer_id: ~}, {id: '2'}]}\n"
                           "expect: [{id: 1}]\nparameters: {limit: 3}\n"},
  };
}

std::map<std::string, Schema> ShopPublished() {
  Schema lines;
  lines.fields = {Field{"id", TypeNamed("INTEGER"), 1}, Field{"day", TypeNamed("DATE"), 2}};
  Schema rates;
  rates.fields = {Field{"day", TypeNamed("DATE"), 1}};
  return {{"shop_files.lines", lines}, {"shop_files.other", lines}, {"api.rates", rates}};
}

TEST(Project, ReadsEveryWord) {
  Folder folder(Shop());
  LoadOutcome outcome = Load(folder, ShopPublished());
  ASSERT_NE(outcome.project, nullptr) << Joined(outcome);
  const Project& p = *outcome.project;
  EXPECT_EQ(p.name, "shop");
  EXPECT_EQ(p.lake_url, "file:///data/lake");
  EXPECT_EQ(p.owner, "jen");
  EXPECT_EQ(p.slots, 4);
  EXPECT_EQ(p.worker_memory_bytes, std::int64_t{512} << 20);
  EXPECT_EQ(p.worker_spill_bytes, 2'000'000'000);
  EXPECT_EQ(p.retries, std::vector<std::chrono::milliseconds>{minutes{1}});
  EXPECT_EQ(p.parameters.at("limit").type.ToSql(), "BIGINT");
  EXPECT_EQ(p.parameters.at("from_day").type.ToSql(), "DATE");
  EXPECT_EQ(p.parameters.at("label").type.ToSql(), "VARCHAR");
  EXPECT_EQ(p.parameters.at("rate").type.ToSql(), "DOUBLE");
  EXPECT_EQ(p.parameters.at("on").type.ToSql(), "BOOLEAN");
  EXPECT_EQ(p.parameters.at("big").type.ToSql(), "DECIMAL(12,2)");

  ASSERT_EQ(p.sources.size(), 2U);
  const SourceConfig& api = p.sources[0];
  EXPECT_EQ(api.owner, "jen");
  EXPECT_EQ(api.options, R"({"client":{"headers":{"accept":"json"},"timeout":"30s"}})");
  std::map<std::string, std::string> secrets = {{"client.base_url", "API_URL"}, {"client.token", "API_TOKEN"},
                                                {"client.headers.x-key", "K"}, {"streams.rates.endpoint.params.key", "P"}};
  EXPECT_EQ(api.secrets, secrets);
  EXPECT_EQ(api.streams[0].options,
            R"({"endpoint":{"params":{"deep":["a",{"b":true}],"n":3},"path":"v1"},"incremental":{"cursor":"at","lag":"10m"},"primary_key":["day","currency"]})");
  EXPECT_EQ(api.streams[0].write_disposition, WriteDisposition::kMerge);

  const SourceConfig& files = p.sources[1];
  EXPECT_EQ(files.max_parallel, 2);
  ASSERT_TRUE(files.retries.has_value());
  const StreamConfig& lines = files.streams[0];
  EXPECT_EQ(lines.options, R"({"chunk":64000000,"format":"json","glob":"*.json","header":true})");
  EXPECT_EQ(lines.partition_by, std::vector<std::string>{"day"});
  ASSERT_EQ(lines.columns.size(), 2U);
  EXPECT_EQ(lines.columns[0].type->ToSql(), "BIGINT");
  EXPECT_EQ(lines.columns[0].checks.at(0).Id(), "id.not_null");  // merged from resource_defaults
  EXPECT_EQ(lines.columns[1].type->ToSql(), "DATE");
  EXPECT_EQ(files.streams[1].name, "other");

  const ModelConfig& orders = p.model(*p.Find("silver.orders"));
  EXPECT_EQ(orders.materialize, Materialize::kPartitions);
  EXPECT_EQ(orders.late, hours{48});
  EXPECT_EQ(orders.sql_line, 6);
  EXPECT_EQ(orders.inputs.at("api.rates"), OnChange::kIgnore);
  EXPECT_EQ(orders.analysis.tables, (std::vector<std::string>{"shop_files.lines", "api.rates"}));
  const ModelConfig& customers = p.model(*p.Find("silver.customers"));
  EXPECT_EQ(customers.materialize, Materialize::kSnapshot);
  EXPECT_EQ(customers.key, std::vector<std::string>{"id"});
  EXPECT_EQ(customers.sql.back(), 'r');               // no ';'
  EXPECT_EQ(customers.analysis.columns.size(), 1U);   // of its SELECT; the table has three more
  const ModelConfig& sales = p.model(*p.Find("gold.sales"));
  EXPECT_EQ(sales.checks.at(0).args.at("sql"), "SELECT * FROM silver.customers WHERE n > 10");
  EXPECT_EQ(sales.checks.at(0).values, std::vector<std::string>{"silver.customers"});
  EXPECT_EQ(sales.checks.at(1).args.at("expression"), "id < 10");

  const PipelineConfig& daily = p.pipelines.at(0);
  EXPECT_EQ(daily.timeout, hours{2});
  EXPECT_EQ(daily.slots, 3);
  EXPECT_EQ(daily.retries, p.retries);
  const UnitTest& test = p.tests.at(0);
  EXPECT_EQ(test.name, "sales");
  EXPECT_EQ(test.given.at("silver.orders").at(0).at("customer_id"), std::nullopt);
  EXPECT_EQ(test.given.at("silver.orders").at(1).at("id"), "2");
  EXPECT_EQ(test.parameters.at("limit"), "3");
}

TEST(Project, ReadsWhenPipelinesRunAndWhoIsTold) {
  Files files = Shop();
  files["caudal.yaml"] = "name: shop\nlimits: {runs: 7}\nalerts:\n  channels:\n"
                         "    hook: {type: webhook, url: 'https://a.example/x', secret: '${S}', pause: 0s}\n"
                         "    mail: {type: smtp, host: h, tls: tls, from: a@b.c, to: [d@e.f, g@h.i], user: '${U}', password: '${P}', ca_file: ca.pem}\n"
                         "  rules:\n    - {on: [failed, late], owners: jen, tags: [morning], to: [hook, mail], repeat: 2h}\n";
  files["pipelines/daily.yaml"] = "schedule: '30 2 * * *'\ntime_zone: Europe/Madrid\non_dst: skip\ncatch_up: all\nmax_active: 1\ntags: [morning]\n";
  files["pipelines/report.yaml"] = "after: [daily]\n";
  files["pipelines/often.yaml"] = "schedule: every 15m\n";
  files.erase("tests/sales.yaml");
  files.erase("models/gold/sales.sql");
  Folder folder(files);
  LoadOutcome outcome = Load(folder, ShopPublished());
  ASSERT_NE(outcome.project, nullptr) << Joined(outcome);
  const Project& p = *outcome.project;
  EXPECT_EQ(p.runs, 7);
  const PipelineConfig& daily = p.pipelines.at(0);
  EXPECT_EQ(daily.time_zone.name(), "Europe/Madrid");
  EXPECT_EQ(daily.catch_up, CatchUp::kAll);
  EXPECT_EQ(daily.tags, std::vector<std::string>{"morning"});
  ASSERT_TRUE(daily.timer);
  EXPECT_EQ(daily.timer->NextAfter(*ParseTimestamp("2026-03-28T12:00")), *ParseTimestamp("2026-03-30T00:30")) << "the 29th has no half past two";
  EXPECT_TRUE(p.pipelines.at(1).timer);
  EXPECT_EQ(p.pipelines.at(2).after, std::vector<std::string>{"daily"});
  EXPECT_EQ(p.pipelines.at(2).catch_up, CatchUp::kLast);
  ASSERT_EQ(p.alerts.channels.size(), 2u);
  const AlertChannel &hook = p.alerts.channels[0], &mail = p.alerts.channels[1];
  EXPECT_EQ(hook.url, "https://a.example/x");
  EXPECT_EQ(hook.secrets, (std::map<std::string, std::string>{{"secret", "S"}}));
  EXPECT_EQ(hook.pause, std::chrono::milliseconds(0));
  EXPECT_EQ(mail.port, 465);
  EXPECT_EQ(mail.to.size(), 2u);
  EXPECT_EQ(mail.secrets, (std::map<std::string, std::string>{{"password", "P"}, {"user", "U"}}));
  EXPECT_TRUE(mail.ca_file.ends_with("/ca.pem") && mail.ca_file[0] == '/');
  ASSERT_EQ(p.alerts.rules.size(), 1u);
  EXPECT_EQ(p.alerts.rules[0].on, (std::vector<std::string>{"failed", "late"}));
  EXPECT_EQ(p.alerts.rules[0].owners, std::vector<std::string>{"jen"});
  EXPECT_EQ(p.alerts.rules[0].repeat, std::chrono::hours(2));
}

TEST(Project, OrdersNodes) {
  Folder folder(Shop());
  LoadOutcome outcome = Load(folder, ShopPublished());
  ASSERT_NE(outcome.project, nullptr) << Joined(outcome);
  std::string order;
  for (const Node& node : outcome.project->nodes) order += node.table + " ";
  // gold.sales after silver.customers, since a check of it looks there.
  EXPECT_EQ(order, "api.rates shop_files.lines shop_files.other silver.customers gold.all_customers silver.orders gold.sales ");
  const Node& sales = *outcome.project->Find("GOLD.sales");
  EXPECT_EQ(sales.upstream, std::vector<std::string>{"silver.orders"});
  EXPECT_EQ(sales.checked_against, std::vector<std::string>{"silver.customers"});
  EXPECT_EQ(outcome.project->Find("silver.orders")->downstream, std::vector<std::string>{"gold.sales"});
  EXPECT_EQ(outcome.project->Find("gold.nothing"), nullptr);
}

TEST(Project, ATableThatWasNeverLoadedIsNoProblem) {
  Folder folder(Shop());
  folder.Write("models/gold/sales.sql", "/* caudal: {columns: {nobody_knows: {checks: [not_null]}}} */ SELECT 1 --gives id BIGINT\nFROM silver.orders");
  LoadOutcome outcome = Load(folder);
  ASSERT_NE(outcome.project, nullptr) << Joined(outcome);
  EXPECT_EQ(Joined(outcome), "");
  EXPECT_EQ(outcome.project->Find("gold.sales")->upstream, std::vector<std::string>{"silver.orders"});
}

TEST(Project, NamesCyclesWhole) {
  Folder folder(Shop());
  folder.Write("models/silver/orders.sql", "SELECT 1 --gives id BIGINT, day DATE\nFROM gold.more");
  folder.Write("models/gold/more.sql", "SELECT 1 --gives id BIGINT\nFROM gold.sales");
  LoadOutcome outcome = Load(folder, ShopPublished());
  EXPECT_EQ(outcome.project, nullptr);
  EXPECT_EQ(Joined(outcome), "models/gold/more.sql:2:6: models read one another in a circle: gold.more -> gold.sales -> "
                             "silver.orders -> gold.more; take one of these steps out");
}

TEST(Project, FindsMistakesOfAllFilesInOnePass) {
  Files files = Shop();
  files["caudal.yaml"] += "frmats: x\n";
  files["sources/api.yaml"] = "type: http\nstreams: {rates: {primary_key: day}}\n";
  files["pipelines/daily.yaml"] = "schedule: x\n";
  files["tests/sales.yaml"] = "model: gold.nothing\nexpect: []\n";
  files["models/gold/all_customers.sql"] = "SELECT x --problem parser@7 bad\nFROM silver.customers";
  Folder folder(files);
  LoadOutcome outcome = Load(folder, ShopPublished());
  ASSERT_EQ(outcome.problems.size(), 5U) << Joined(outcome);
  EXPECT_EQ(outcome.problems[0].place.file, "caudal.yaml");
  EXPECT_EQ(outcome.problems[1].place.file, "models/gold/all_customers.sql");
  EXPECT_EQ(outcome.problems[2].place.file, "pipelines/daily.yaml");
  EXPECT_EQ(outcome.problems[3].place.file, "sources/api.yaml");
  EXPECT_EQ(outcome.problems[4].place.file, "tests/sales.yaml");
}

TEST(Project, WhatABrokenSourceMakesIsNotMissing) {
  Files files = Shop();
  files["sources/api.yaml"] = "type: [http\n";
  Folder folder(files);
  LoadOutcome outcome = Load(folder, ShopPublished());
  EXPECT_EQ(Joined(outcome), "sources/api.yaml:2:1: a '[' without its ']'; close it, or put a comma between the items");
}

TEST(Project, HashFollowsContentAndNothingElse) {
  Folder one(Shop()), two(Shop());
  std::string first = Load(one, ShopPublished()).project->hash;
  EXPECT_EQ(first.size(), 64U);
  EXPECT_EQ(Load(two, ShopPublished()).project->hash, first);
  EXPECT_EQ(Load(two).project->hash, first);  // what is published is not part of a release
  two.Write("README.md", "no part of the project");
  two.Write(".git/config", "x");
  EXPECT_EQ(Load(two, ShopPublished()).project->hash, first);
  two.Write("models/gold/all_customers.sql", "SELECT 1 --gives is_current BOOLEAN\nFROM silver.customers\n");
  EXPECT_NE(Load(two, ShopPublished()).project->hash, first);
  // Moving text from one file to the next is a change.
  Folder three({{"caudal.yaml", kConfig}, {"models/a/x.sql", "SELECT 1 --gives a INT"}});
  Folder four({{"caudal.yaml", kConfig}, {"models/a/xS.sql", "ELECT 1 --gives a INT"}});
  EXPECT_NE(Load(three).project->hash, "");
  EXPECT_EQ(Load(four).project, nullptr);
}

// Whatever stands in the files, the answer is a project or problems with a place.
TEST(Project, SurvivesAnyByte) {
  const Files shop = Shop();
  Folder folder(shop);
  for (const auto& [path, text] : shop) {
    for (std::size_t at = 0; at < text.size(); at += 11) {
      std::string broken = text;
      broken[at] = "{}[]:'\"*&\n\t\0-|$;/("[at % 19];
      folder.Write(path, broken);
      LoadOutcome outcome = Load(folder, ShopPublished());
      EXPECT_TRUE(outcome.project != nullptr || !outcome.problems.empty());
      for (const Problem& problem : outcome.problems) EXPECT_FALSE(problem.place.file.empty()) << problem.ToString();
    }
    folder.Write(path, text.substr(0, text.size() / 2));
    Load(folder, ShopPublished());
    folder.Write(path, text);
  }
}

TEST(Project, MissingFolderOrConfig) {
  Folder folder(Files{});
  EXPECT_EQ(Joined(Load(folder)), "caudal.yaml: there is no caudal.yaml in " + folder.path() + "; caudal init makes a project");
  folder.Write("caudal.yml", kConfig);
  EXPECT_EQ(Joined(Load(folder)), "caudal.yaml: there is no caudal.yaml in " + folder.path() + "; rename caudal.yml");
}

TEST(Project, AnalyzerThatFailsIsOneProblem) {
  Folder folder(Shop());
  std::vector<ConnectorSpec> specs = Specs();
  FakeAnalyzer analyzer;
  analyzer.fails = true;
  LoadOptions options;
  options.folder = folder.path();
  options.connectors = &specs;
  options.analyzer = &analyzer;
  EXPECT_EQ(Joined(LoadProject(options)), "caudal.yaml: the SQL could not be looked at: no worker; try again");
  options.analyzer = nullptr;
  LoadOutcome outcome = LoadProject(options);
  ASSERT_NE(outcome.project, nullptr) << Joined(outcome);
  EXPECT_TRUE(outcome.project->Find("gold.sales")->upstream.empty());
}

TEST(Project, FindProjectFolderWalksUp) {
  Folder folder(Shop());
  EXPECT_EQ(*FindProjectFolder(folder.path() + "/models/gold"), folder.path());
  EXPECT_EQ(*FindProjectFolder(folder.path() + "/"), folder.path());
  Result<std::string> none = FindProjectFolder("/");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(FindProjectFolder(folder.path() + "/nowhere").has_value());
}

class Selectors : public ::testing::Test {
 protected:
  Selectors() : x_folder(Shop()), x_outcome(Load(x_folder, ShopPublished())) {}
  std::string Pick(const std::vector<std::string>& select, const std::vector<std::string>& exclude) const {
    Result<std::set<std::string>> chosen = Select(*x_outcome.project, select, exclude);
    if (!chosen) return chosen.error().ToString();
    std::string all;
    for (const std::string& table : *chosen) all += (all.empty() ? "" : " ") + table;
    return all;
  }

 private:
  Folder x_folder;
  LoadOutcome x_outcome;
};

TEST_F(Selectors, Grammar) {
  const struct {
    const char* selector;
    const char* tables;
  } kCases[] = {
      {"silver.orders", "silver.orders"},
      {"Silver.Orders", "silver.orders"},
      {"orders", "silver.orders"},
      {"+gold.sales", "api.rates gold.sales shop_files.lines silver.orders"},
      {"1+gold.sales", "gold.sales silver.orders"},
      {"shop_files.lines+", "gold.sales shop_files.lines silver.orders"},
      {"shop_files.lines+1", "shop_files.lines silver.orders"},
      {"1+silver.orders+1", "api.rates gold.sales shop_files.lines silver.orders"},
      {"+silver.orders+", "api.rates gold.sales shop_files.lines silver.orders"},
      {"@api.rates", "api.rates gold.sales shop_files.lines silver.orders"},
      {"tag:nightly", "shop_files.lines shop_files.other"},
      {"tag:nightly+", "gold.all_customers gold.sales shop_files.lines shop_files.other silver.customers silver.orders"},
      {"tag:fa*", "silver.orders"},
      {"path:models/gold", "gold.all_customers gold.sales"},
      {"path:./models/gold/", "gold.all_customers gold.sales"},
      {"models/gold/sales.sql", "gold.sales"},
      {"path:models/*/s*.sql", "gold.sales"},
      {"source:shop_files", "shop_files.lines shop_files.other"},
      {"source:shop_files.lines", "shop_files.lines"},
      {"source:*", "api.rates shop_files.lines shop_files.other"},
      {"gold.*", "gold.all_customers gold.sales"},
      {"gold.sales silver.orders", "gold.sales silver.orders"},
      {"gold.*,+gold.sales", "gold.sales"},
      {"tag:nightly,path:models", ""},
      {"fqn:gold.sales", "gold.sales"},
      {"gold.salse", "nothing is selected by the name 'gold.salse'; did you mean 'gold.sales'?"},
      {"tag:nightl", "nothing is selected by tag 'nightl'; did you mean 'nightly'?"},
      {"path:models/glod", "nothing is selected by path 'models/glod'; did you mean 'models/gold'?"},
      {"source:apy", "nothing is selected by source 'apy'; did you mean 'api'?"},
      {"owner:jen", "unknown selector method 'owner'; there are: tag, path, source, fqn"},
      {"a++b", "not a selector: 'a++b'; write a table, tag:x, path:models/gold, source:erp, +up, down+, 2+x+1 or @x"},
      {"@a+", "not a selector: '@a+'; write a table, tag:x, path:models/gold, source:erp, +up, down+, 2+x+1 or @x"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Pick({c.selector}, {}), c.tables) << c.selector;
}

TEST_F(Selectors, ExcludeAndEverything) {
  EXPECT_EQ(Pick({}, {}).size(), Pick({"*"}, {}).size());
  EXPECT_EQ(Pick({"gold.*", "silver.orders"}, {"gold.sales"}), "gold.all_customers silver.orders");
  EXPECT_EQ(Pick({}, {"source:*", "path:models/silver"}), "gold.all_customers gold.sales");
  EXPECT_EQ(Pick({}, {"nobody"}), "nothing is selected by the name 'nobody'; there are: api.rates, gold.all_customers, "
                                  "gold.sales, shop_files.lines, shop_files.other, silver.customers, silver.orders");
}

}  // namespace
}  // namespace caudal
