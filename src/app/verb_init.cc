// `caudal init`: a project that runs as it is.
#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "app/exit_code.h"
#include "app/new_file.h"
#include "app/verbs.h"
#include "base/json.h"
#include "store/posix_file.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

struct TemplateFile {
  const char* path;
  const char* text;
};

constexpr const char* kIgnored = ".caudal/\nlake/\n";

constexpr const char* kConfig = R"yaml(# The project. Words: docs/project.md
name: @NAME@
lake: lake              # the folder of the tables, below this one
defaults:
  retries: [5m, 15m, 60m]
)yaml";

constexpr TemplateFile kFiles[] = {
    {"sources/drops.yaml", R"yaml(# A connection and its streams; each stream is a table: drops.sales
type: files
description: One CSV file a day
location: drops
streams:
  sales:
    glob: "sales-*.csv"
    format: csv
    write_disposition: append
    columns:
      sale_id:   {type: BIGINT, checks: [not_null]}
      sold_on:   {type: DATE, checks: [not_null]}
      product:   {type: VARCHAR}
      quantity:  {type: BIGINT, checks: [{min: 1}]}
      price:     {type: "DECIMAL(10,2)", checks: [{min: 0}]}
)yaml"},
    {"models/gold/daily_sales.sql", R"yaml(/* caudal:
description: Sales of each day and product
materialize: {incremental: partitions, partition_by: sold_on}
columns:
  sold_on: {checks: [not_null]}
  revenue: {checks: [{min: 0}], description: Sum of price times quantity}
checks:
  - {unique: [sold_on, product]}
*/
SELECT
  sold_on,
  product,
  sum(quantity) AS quantity,
  sum(quantity * price) AS revenue
FROM drops.sales
GROUP BY sold_on, product
)yaml"},
    {"pipelines/daily.yaml", R"yaml(schedule: "0 5 * * *"
description: Everything, every morning
)yaml"},
    {"tests/daily_sales.yaml", R"yaml(- name: quantities and amounts of a day are added up
  model: gold.daily_sales
  given:
    drops.sales:
      - {sale_id: 1, sold_on: 2026-01-01, product: apples, quantity: 2, price: 1.50}
      - {sale_id: 2, sold_on: 2026-01-01, product: apples, quantity: 1, price: 2.00}
      - {sale_id: 3, sold_on: 2026-01-02, product: pears, quantity: 4, price: 0.25}
  expect:
    - {sold_on: 2026-01-01, product: apples, quantity: 3, revenue: 5.00}
    - {sold_on: 2026-01-02, product: pears, quantity: 4, revenue: 1.00}
)yaml"},
    {"drops/sales-2026-01-01.csv", R"yaml(sale_id,sold_on,product,quantity,price
1,2026-01-01,apples,3,1.20
2,2026-01-01,pears,1,2.50
3,2026-01-01,apples,2,1.20
)yaml"},
    {"drops/sales-2026-01-02.csv", R"yaml(sale_id,sold_on,product,quantity,price
4,2026-01-02,apples,1,1.25
5,2026-01-02,plums,12,0.30
)yaml"},
};

/// The folder's name as a project may be called.
std::string ProjectName(const fs::path& folder) {
  std::string name;
  for (const char c : folder.filename().string()) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    name += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name = "p" + name;
  return name;
}

Status RefuseUnlessEmpty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (!fs::is_directory(folder, error)) {
    return Error{ErrorKind::kInvalidArgument, folder.string() + " is no folder", "name a folder that is new or empty", ""};
  }
  fs::directory_iterator entries(folder, error);
  if (error) return PosixError(error.value(), "read", folder.string());
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name != ".git" && name != ".caudal") names.push_back(name);
  }
  if (names.empty()) return {};
  return Error{ErrorKind::kAlreadyExists, folder.string() + " is not empty: it holds " + Joined(names, 3),
               "name a folder that is new or empty: `caudal init shop`", ""};
}

}  // namespace

Result<int> InitVerb(const Command& command, const InitOptions& options) {
  std::error_code error;
  fs::path folder = fs::absolute(options.folder, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  TRY(RefuseUnlessEmpty(folder));
  std::string config = kConfig;
  constexpr std::string_view kMark = "@NAME@";
  config.replace(config.find(kMark), kMark.size(), ProjectName(folder));

  std::vector<std::pair<std::string, std::string>> files{{"caudal.yaml", config}, {".gitignore", kIgnored}};
  if (options.template_name == "files") {
    for (const TemplateFile& file : kFiles) files.emplace_back(file.path, file.text);
  }
  Json written = Json::array();
  for (const auto& [path, text] : files) {
    TRY(WriteNewFile(folder / path, text));
    written.push_back(path);
  }
  for (const char* part : {"sources", "models", "pipelines", "tests"}) fs::create_directories(folder / part, error);

  const Console& console = command.console;
  const std::string step_in = options.folder == "." ? "" : "cd " + ShellQuoted(options.folder);
  if (console.json()) {
    console.Document({{"folder", folder.string()}, {"template", options.template_name}, {"files", written}});
    return kExitOk;
  }
  console.Line("A new project in " + folder.string() + ":");
  for (const auto& [path, text] : files) console.Line("  " + path);
  console.Line("");
  console.Line("Type next:");
  if (!step_in.empty()) console.Line("  " + step_in);
  if (options.template_name == "files") {
    console.Line("  caudal validate                       # every mistake, with its place");
    console.Line("  caudal run                            # load, check, publish");
    console.Line("  caudal sql \"FROM gold.daily_sales\"    # look at it");
    console.Line("  caudal serve                          # run it every day at five, until Ctrl-C");
  } else {
    console.Line("  # write sources/<name>.yaml, models/<schema>/<table>.sql; `caudal init --template files` shows how");
    console.Line("  caudal validate");
  }
  return kExitOk;
}

}  // namespace caudal
