// The verbs that build tables or look at what a build would do: plan, run, retry, backfill, check, test.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {
namespace {

constexpr const char* kSelectHelp =
    "Tables: names, tag:x, path:models/gold, source:erp, +up, down+, globs; blank = or, comma = and";

void AddSelection(CLI::App& verb, Selection& selection) {
  verb.add_option("-s,--select", selection.select, kSelectHelp)->type_name("SEL");
  verb.add_option("--exclude", selection.exclude, "Tables to leave out, in the same words")->type_name("SEL");
}

void AddPlanAndRun(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<RunVerbOptions>();  // shared: the options' targets and the callbacks outlive this call
  CLI::App* plan = app.add_subcommand("plan", "Say what a run would do, and why; changes nothing");
  CLI::App* run = app.add_subcommand("run", "Load, build, check and publish what changed");
  for (CLI::App* verb : {plan, run}) {
    verb->group("Tables");
    verb->fallthrough();
    verb->add_option("PIPELINE", options->pipeline, "A pipeline; none: everything");
    AddSelection(*verb, options->selection);
    verb->add_flag("--full-refresh", options->full_refresh, "Everything anew, whatever changed");
  }
  run->add_flag("--wait", options->wait, "Wait where a run of the pipeline is running, instead of being refused");
  run->add_flag("--no-retry", options->no_retry, "The first failure of a task is its last");
  plan->footer("Examples:\n  caudal plan\n  caudal plan daily -s +gold.daily_sales");
  run->footer(
      "Examples:\n  caudal run\n  caudal run daily\n  caudal run -s source:erp tag:finance\n  caudal run -s silver.orders+ "
      "--full-refresh");
  plan->callback([&chosen, options] {
    chosen = [options](const Command& command) { return PlanVerb(command, *options); };
  });
  run->callback([&chosen, options] {
    chosen = [options](const Command& command) { return RunVerb(command, *options); };
  });
}

void AddRetry(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<RetryOptions>();  // shared: as above
  CLI::App* retry = app.add_subcommand("retry", "Go on with a run that failed, was stopped or was killed; or load rejected rows again");
  retry->group("Tables");
  retry->fallthrough();
  auto* run = retry->add_option("RUN", options->run, "A run; none: the newest that is not done");
  auto* select = retry->add_option("-s,--select", options->select, "Only these of its tables, and what is below them")->type_name("SEL");
  auto* rejects = retry->add_option("--rejects", options->rejects, "Instead: load the rejected rows of this table again, from their raw objects")
                      ->type_name("TABLE")->excludes(run)->excludes(select);
  retry->add_option("--where", options->where, "Of these, those that meet an SQL condition over TABLE__rejects")->type_name("COND")->needs(rejects);
  retry->footer("Examples:\n  caudal retry\n  caudal retry 20260131T050000-3f9a12\n  caudal retry -s stores.lines\n  caudal retry --rejects stores.lines\n"
                "  caudal retry --rejects stores.lines --where \"_column = 'price'\"");
  retry->callback([&chosen, options] {
    chosen = [options](const Command& command) { return RetryVerb(command, *options); };
  });
}

void AddBackfill(CLI::App& app, ChosenVerb& chosen) {
  auto options = std::make_shared<BackfillOptions>();  // shared: as above
  CLI::App* backfill = app.add_subcommand("backfill", "Fill a table again: from its raw objects, or an interval of it");
  backfill->group("Tables");
  backfill->fallthrough();
  backfill->add_option("TABLE", options->table, "A table");
  backfill->add_flag("--from-raw", options->from_raw, "Rebuild a source's table from the raw objects of its commits");
  backfill->add_option("-s,--select", options->select, kSelectHelp)->type_name("SEL");
  backfill->add_option("--start", options->start, "First day")->type_name("DAY");
  backfill->add_option("--end", options->end, "First day that is left out")->type_name("DAY");
  backfill->footer(
      "Examples:\n  caudal backfill erp.orders --from-raw\n  caudal backfill -s gold.daily_sales --start 2026-01-01 --end "
      "2026-02-01");
  backfill->callback([&chosen, options] {
    chosen = [options](const Command& command) { return BackfillVerb(command, *options); };
  });
}

void AddCheckAndTest(CLI::App& app, ChosenVerb& chosen) {
  auto selection = std::make_shared<Selection>();  // shared: as above
  CLI::App* check = app.add_subcommand("check", "Run every check over what is published");
  check->group("Tables");
  check->fallthrough();
  AddSelection(*check, *selection);
  check->footer("Examples:\n  caudal check\n  caudal check -s path:models/gold");
  check->callback([&chosen, selection] {
    chosen = [selection](const Command& command) { return CheckVerb(command, *selection); };
  });

  auto names = std::make_shared<std::vector<std::string>>();  // shared: as above
  CLI::App* test = app.add_subcommand("test", "Run unit tests: models over given rows");
  test->group("Tables");
  test->fallthrough();
  test->add_option("NAME", *names, "Names of tests or models; none: all");
  test->footer("Examples:\n  caudal test\n  caudal test gold.daily_sales");
  test->callback([&chosen, names] {
    chosen = [names](const Command& command) { return TestVerb(command, *names); };
  });
}

}  // namespace

void AddRunVerbs(CLI::App& app, ChosenVerb& chosen) {
  AddPlanAndRun(app, chosen);
  AddRetry(app, chosen);
  AddBackfill(app, chosen);
  AddCheckAndTest(app, chosen);
}

}  // namespace caudal
