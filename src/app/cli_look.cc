// The verbs that look: show, why, history, sql, render.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {
namespace {

constexpr int kMostRows = 1'000'000;

CLI::App* AddVerb(CLI::App& app, const char* name, const char* about, const char* footer) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->group("Look");
  verb->fallthrough();
  verb->footer(footer);
  return verb;
}

void AddShow(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<ShowOptions>();  // shared: the options' targets and the callbacks outlive this call
  CLI::App* show = AddVerb(app, "show", "List the tables, or tell everything about one",
                           "Examples:\n  caudal show\n  caudal show --sizes\n  caudal show silver.orders --rows 5\n  caudal show stores.lines --rejects");
  show->add_option("TABLE", options->table, "A table; none: all of them");
  CLI::Option* rows = show->add_option("--rows", options->rows, "Also so many of its rows")->check(CLI::Range(0, kMostRows))->type_name("N");
  show->add_flag("--rejects", options->rejects, "Its rejected rows: reasons, counts, examples")->excludes(rows);
  show->add_flag("--sizes", options->sizes, "Without a table: what each saves against CSV (reads every row)");
  show->callback([&chosen, options] {
    chosen = [options](const Command& command) -> Result<int> {
      if (options->table.empty() && (options->rejects || options->rows > 0)) {
        return Error{ErrorKind::kInvalidArgument, "no table is named", "`caudal show erp.orders --rejects`", ""};
      }
      return ShowVerb(command, *options);
    };
  });
}

void AddSources(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<SourcesOptions>();  // shared: as above
  CLI::App* sources = AddVerb(app, "sources", "List the sources: last load, lag, drift, state, what would be asked next",
                              "Examples:\n  caudal sources\n  caudal sources erp\n  caudal sources --check");
  sources->add_option("SOURCE", options->source, "A source; none: all of them");
  sources->add_flag("--check", options->check, "Also reach them with their credentials; touches no data");
  sources->callback([&chosen, options] {
    chosen = [options](const Command& command) { return SourcesVerb(command, *options); };
  });
}

void AddWhy(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<WhyOptions>();  // shared: as above
  CLI::App* why = AddVerb(app, "why", "Follow rows back to commit, run, raw file and line",
                          "Example:\n  caudal why silver.lines --where \"invoice_no = '536365'\"");
  why->add_option("TABLE", options->table, "A table")->required();
  why->add_option("--where", options->where, "An SQL condition over its columns")->required()->type_name("COND");
  why->add_option("--limit", options->limit, "At most so many rows")->check(CLI::Range(1, 1000))->type_name("N")->default_str("5");
  why->callback([&chosen, options] {
    chosen = [options](const Command& command) { return WhyVerb(command, *options); };
  });
}

void AddHistory(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<HistoryOptions>();  // shared: as above
  CLI::App* history = AddVerb(app, "history", "List the runs, or the versions of one table",
                              "Examples:\n  caudal history\n  caudal history silver.orders --limit 5\n  caudal history silver.orders --checks");
  auto* table = history->add_option("TABLE", options->table, "A table; none: the runs");
  history->add_flag("--checks", options->checks, "Every verdict on the table, of runs that published and of those that did not")->needs(table);
  history->add_option("--limit", options->limit, "At most so many, newest first")->check(CLI::Range(1, kMostRows))->type_name("N")->default_str("20");
  history->callback([&chosen, options] {
    chosen = [options](const Command& command) { return HistoryVerb(command, *options); };
  });
}

void AddSql(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<SqlOptions>();  // shared: as above
  CLI::App* sql = AddVerb(app, "sql", "Run one SELECT over the published tables, in a sandboxed worker",
                          "Examples:\n  caudal sql \"SELECT country, sum(revenue) FROM gold.daily_sales GROUP BY ALL\"\n"
                          "  caudal sql -f report.sql --output csv > report.csv");
  sql->add_option("QUERY", options->query, "A SELECT");
  sql->add_option("-f,--file", options->file, "A file with it; - = standard input")->type_name("FILE");
  sql->add_option("--max-rows", options->max_rows, "At most so many rows")->check(CLI::Range(1, kMostRows))->type_name("N")->default_str("1000");
  sql->add_flag("--safe-csv", options->safe_csv, "csv: put ' before text that a spreadsheet would take for a formula");
  sql->callback([&chosen, options] {
    chosen = [options](const Command& command) { return SqlVerb(command, *options); };
  });
}

}  // namespace

void AddLookVerbs(CLI::App& app, ChosenVerb& chosen) {
  AddShow(app, chosen);
  AddSources(app, chosen);
  AddWhy(app, chosen);
  AddHistory(app, chosen);
  AddSql(app, chosen);
  auto model = std::make_shared<std::string>();  // shared: as above
  CLI::App* render = AddVerb(app, "render", "Print a model's SQL as it runs, and what a run would do with it",
                             "Example:\n  caudal render gold.daily_sales");
  render->add_option("MODEL", *model, "A model's table")->required();
  render->callback([&chosen, model] {
    chosen = [model](const Command& command) { return RenderVerb(command, *model); };
  });
}

}  // namespace caudal
