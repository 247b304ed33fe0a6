// The verbs about the project itself: init, validate, connection, doctor.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {

void AddProjectVerbs(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* init = app.add_subcommand("init", "Write a new project that runs");
  auto init_options = std::make_shared<InitOptions>();  // shared: the option's target and the callback outlive this call
  init->add_option("DIR", init_options->folder, "A folder that is new or empty")->default_str(".");
  init->add_option("--template", init_options->template_name, "files: CSV drops, a model, a pipeline, a unit test")
      ->check(CLI::IsMember({"empty", "files"}))
      ->default_str("files");
  init->footer("Examples:\n  caudal init shop\n  caudal init shop --template empty\n  caudal init source --help");
  AddInitSource(*init, chosen);
  init->callback([&chosen, init, init_options] {
    if (!init->get_subcommands().empty()) return;
    chosen = [init_options](const Command& command) { return InitVerb(command, *init_options); };
  });

  CLI::App* validate = app.add_subcommand("validate", "Find every mistake of the project; changes nothing");
  validate->footer("Examples:\n  caudal validate\n  caudal validate --output json");
  validate->callback([&chosen] { chosen = [](const Command& command) { return ValidateVerb(command); }; });

  CLI::App* connection = app.add_subcommand("connection", "Work with the connections to sources");
  connection->require_subcommand(1);
  connection->footer("Examples:\n  caudal connection test\n  caudal connection test erp rates");
  CLI::App* test = connection->add_subcommand("test", "Reach sources with their credentials; touches no data");
  auto sources = std::make_shared<std::vector<std::string>>();  // shared: as above
  test->add_option("SOURCE", *sources, "Names of sources; none: all of them");
  test->footer("Examples:\n  caudal connection test\n  caudal connection test erp rates");
  test->callback([&chosen, sources] {
    chosen = [sources](const Command& command) { return ConnectionTestVerb(command, *sources); };
  });

  CLI::App* doctor = app.add_subcommand("doctor", "Examine machine, workers, state, lake and every table's files");
  auto doctor_options = std::make_shared<DoctorOptions>();  // shared: as above
  doctor->add_flag("--deep", doctor_options->deep, "Also read every byte of every data file and raw object, and compare its SHA-256");
  doctor->add_flag("--repair", doctor_options->repair, "First write the objects of Hudi and Iceberg again that differ from the log");
  doctor->add_option("--store", doctor_options->store, "Examine one place on S3 instead: can a lake be there? Races for conditional writes")
      ->type_name("URL");
  doctor->footer("Examples:\n  caudal doctor\n  caudal doctor --deep\n  caudal doctor --repair\n  caudal doctor --store s3://bucket/prefix");
  doctor->callback([&chosen, doctor_options] {
    chosen = [doctor_options](const Command& command) { return DoctorVerb(command, *doctor_options); };
  });

  for (CLI::App* verb : {init, validate, connection, test, doctor}) {
    verb->group("Project");
    verb->fallthrough();
  }
}

}  // namespace caudal
