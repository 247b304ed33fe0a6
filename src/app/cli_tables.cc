// The verbs that keep tables in order: rollback.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {

void AddTableVerbs(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* rollback = app.add_subcommand("rollback", "Make a table what it was at an earlier version, by a new one");
  auto options = std::make_shared<RollbackOptions>();  // shared: the option's target and the callback outlive this call
  rollback->add_option("TABLE", options->table, "Such as silver.orders")->required();
  rollback->add_option("--to", options->to, "A version of `caudal history`, or a time, UTC")->required();
  rollback->add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
  rollback->footer("Examples:\n  caudal rollback silver.orders --to 12 --dry-run\n  caudal rollback silver.orders --to 2026-01-31T09:00");
  rollback->callback([&chosen, options] {
    chosen = [options](const Command& command) { return RollbackVerb(command, *options); };
  });
  rollback->group("Tables");
  rollback->fallthrough();
}

}  // namespace caudal
