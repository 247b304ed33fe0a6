// The verbs about whole tables: rollback, savepoint, optimize, purge, export.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {
namespace {

CLI::App* AddVerb(CLI::App& app, const char* name, const char* about, const char* footer) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->group("Tables");
  verb->fallthrough();
  verb->footer(footer);
  return verb;
}

void AddRollback(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<RollbackOptions>();  // shared: the option's target and the callback outlive this call
  CLI::App* rollback = AddVerb(app, "rollback", "Make a table what it was at an earlier version, by a new one",
                               "Examples:\n  caudal rollback silver.orders --to 12 --dry-run\n  caudal rollback silver.orders --to 2026-01-31T09:00\n"
                               "  caudal rollback silver.orders --to month-end");
  rollback->add_option("TABLE", options->table, "Such as silver.orders")->required();
  rollback->add_option("--to", options->to, "A version of `caudal history`, a savepoint, or a time, UTC")->required();
  rollback->add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
  rollback->callback([&chosen, options] {
    chosen = [options](const Command& command) { return RollbackVerb(command, *options); };
  });
}

void AddSavepointVerb(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<SavepointOptions>();  // shared: as above
  CLI::App* savepoint = AddVerb(app, "savepoint", "Give a version of a table a name; no purge takes it",
                                "Examples:\n  caudal savepoint gold.daily_sales\n  caudal savepoint gold.daily_sales month-end --comment 'books are closed'\n"
                                "  caudal savepoint gold.daily_sales month-end --drop");
  savepoint->add_option("TABLE", options->table, "Such as silver.orders")->required();
  auto* name = savepoint->add_option("NAME", options->name, "Its name; none: list those that there are");
  auto* version = savepoint->add_option("--version", options->version, "A version of `caudal history`, or a time, UTC; the newest if not given");
  savepoint->add_option("--comment", options->comment, "What it is for")->needs(name);
  version->needs(name);
  savepoint->add_flag("--drop", options->drop, "Forget the name; the next purge may take the version")->needs(name)->excludes(version);
  savepoint->callback([&chosen, options] {
    chosen = [options](const Command& command) { return SavepointVerb(command, *options); };
  });
}

void AddOptimize(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<OptimizeOptions>();  // shared: as above
  CLI::App* optimize = AddVerb(app, "optimize", "Join small files into large ones, or sort a table anew; no row changes",
                               "Examples:\n  caudal optimize\n  caudal optimize silver.orders --cluster-by customer_id,ordered_at\n"
                               "  caudal optimize silver.orders --dry-run");
  optimize->add_option("TABLE", options->tables, "Tables; none: all of them");
  optimize->add_option("--cluster-by", options->cluster_by, "Columns by which the rows of each partition are sorted")->delimiter(',')->type_name("COLUMN,...");
  optimize->add_option("--target-file-size", options->target_file_size, "Such as 256MiB; 128MiB if not given")->type_name("SIZE");
  optimize->add_flag("--dry-run", options->dry_run, "Say what would be joined, and change nothing");
  optimize->callback([&chosen, options] {
    chosen = [options](const Command& command) { return OptimizeVerb(command, *options); };
  });
}

void AddPurge(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<PurgeOptions>();  // shared: as above
  CLI::App* purge = AddVerb(app, "purge", "Give up old versions of tables and delete the files that only they have",
                            "Examples:\n  caudal purge --older-than 30d --dry-run\n  caudal purge silver.orders --older-than 30d --keep-versions 10\n"
                            "  caudal purge --orphans --older-than 1d");
  purge->add_option("TABLE", options->tables, "Tables; none: all of them");
  purge->add_option("--older-than", options->older_than, "Keep what was the newest version at any time since so long ago, such as 30d")->type_name("DURATION");
  auto* versions = purge->add_option("--keep-versions", options->keep_versions, "Keep at least so many versions")->check(CLI::Range(1, 1'000'000))->type_name("N");
  auto* grace = purge->add_option("--reader-grace", options->reader_grace, "Readers may hold a version for so long; 1h if not given")->type_name("DURATION");
  purge->add_flag("--orphans", options->orphans, "Instead: delete data files that no version names, older than --older-than (1d if not given)")
      ->excludes(versions)
      ->excludes(grace);
  purge->add_flag("--dry-run", options->dry_run, "Say what would go, and delete nothing");
  purge->callback([&chosen, options] {
    chosen = [options](const Command& command) { return PurgeVerb(command, *options); };
  });
}

void AddExport(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<ExportOptions>();  // shared: as above
  CLI::App* verb = AddVerb(app, "export", "Write a version of a table to one plain file",
                           "Examples:\n  caudal export gold.daily_sales --to sales.csv\n  caudal export silver.orders --to orders.parquet --version 12");
  verb->add_option("TABLE", options->table, "Such as gold.daily_sales")->required();
  verb->add_option("--to", options->to, "A file that does not exist yet: .parquet, .csv or .ndjson")->required()->type_name("FILE");
  verb->add_option("--version", options->version, "A version of `caudal history`, a savepoint, or a time, UTC; the newest if not given");
  verb->callback([&chosen, options] {
    chosen = [options](const Command& command) { return ExportVerb(command, *options); };
  });
}

}  // namespace

void AddTableVerbs(CLI::App& app, ChosenVerb& chosen) {
  AddRollback(app, chosen);
  AddSavepointVerb(app, chosen);
  AddOptimize(app, chosen);
  AddPurge(app, chosen);
  AddExport(app, chosen);
}

}  // namespace caudal
