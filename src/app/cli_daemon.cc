// The verbs about what runs by itself: serve, status, schedule, alerts, pause, resume.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {
namespace {

CLI::App* AddVerb(CLI::App& app, const char* name, const char* about, const char* footer) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->group("By itself");
  verb->fallthrough();
  verb->footer(footer);
  return verb;
}

}  // namespace

void AddDaemonVerbs(CLI::App& app, ChosenVerb& chosen) {
  auto serve_options = std::make_shared<ServeOptions>();  // shared: the option's target and the callback outlive this call
  CLI::App* serve = AddVerb(app, "serve", "Run pipelines when they are due, and tell people, until told to stop",
                            "Examples:\n  caudal serve\n  caudal serve --project shop --output json 2>> serve.ndjson");
  serve->add_option("--grace", serve_options->grace, "When told to stop: what runs may go on for so long")->type_name("TIME")->default_str("60s");
  serve->add_option("--listen", serve_options->listen, "Address of the page and the API; port 0: any that is free; off: neither")->type_name("HOST:PORT")->default_str("127.0.0.1:8088");
  serve->add_option("--url", serve_options->url, "How people reach it, where a proxy stands in front: https://caudal.example.com")->type_name("URL");
  serve->callback([&chosen, serve_options] {
    chosen = [serve_options](const Command& command) { return ServeVerb(command, *serve_options); };
  });

  CLI::App* status = AddVerb(app, "status", "Is it served, what ran last, what comes next, what is paused", "Example:\n  caudal status");
  status->callback([&chosen] { chosen = [](const Command& command) { return StatusVerb(command); }; });

  auto schedule_options = std::make_shared<ScheduleOptions>();  // shared: as above
  CLI::App* schedule = AddVerb(app, "schedule", "The next times of pipelines, in their own time zone and in UTC",
                               "Examples:\n  caudal schedule\n  caudal schedule daily --next 10\n  caudal schedule daily --after 2026-03-28");
  schedule->add_option("PIPELINE", schedule_options->pipeline, "A pipeline; none: all of them");
  schedule->add_option("--next", schedule_options->next, "So many of each")->check(CLI::Range(1, 10'000))->type_name("N")->default_str("5");
  schedule->add_option("--after", schedule_options->after, "Those after this time, UTC; none: now")->type_name("TIME");
  schedule->callback([&chosen, schedule_options] {
    chosen = [schedule_options](const Command& command) { return ScheduleVerb(command, *schedule_options); };
  });

  CLI::App* alerts = AddVerb(app, "alerts", "Work with the channels by which people are told", "Example:\n  caudal alerts test ops");
  alerts->require_subcommand(1);
  CLI::App* test = alerts->add_subcommand("test", "Send a test message now");
  test->fallthrough();
  test->footer("Example:\n  caudal alerts test ops");
  auto channel = std::make_shared<std::string>();  // shared: as above
  test->add_option("CHANNEL", *channel, "A channel of caudal.yaml")->required();
  test->callback([&chosen, channel] {
    chosen = [channel](const Command& command) { return AlertTestVerb(command, *channel); };
  });

  for (const bool pauses : {true, false}) {
    auto pipeline = std::make_shared<std::string>();  // shared: as above
    CLI::App* verb = AddVerb(app, pauses ? "pause" : "resume", pauses ? "Let the daemon begin no run of a pipeline" : "Let the daemon run a pipeline again",
                             pauses ? "Example:\n  caudal pause daily" : "Example:\n  caudal resume daily");
    verb->add_option("PIPELINE", *pipeline, "A pipeline")->required();
    verb->callback([&chosen, pipeline, pauses] {
      chosen = [pipeline, pauses](const Command& command) { return PauseVerb(command, *pipeline, pauses); };
    });
  }
}

}  // namespace caudal
