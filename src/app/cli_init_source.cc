// `caudal init source`: its options are those of every connector, as their specs say.
#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "app/cli.h"
#include "app/source_draft.h"
#include "connect/source.h"

namespace caudal {
namespace {

/// One option of the command line: several connectors may have one of that name.
struct Typable {
  std::string types, description;
};

std::map<std::string, Typable> OptionsOfConnectors() {
  std::map<std::string, Typable> options;
  for (const ConnectorSpec& spec : BuiltinRegistry().Specs()) {
    for (const auto* list : {&spec.options, &spec.stream_options}) {
      for (const OptionPath& option : OptionPathsOf(*list)) {
        Typable& typable = options[option.path];
        typable.types += (typable.types.empty() ? "" : ", ") + spec.name;
        if (typable.description.empty()) typable.description = option.spec->description + (option.spec->secret ? ", as ${NAME}" : "");
      }
    }
  }
  return options;
}

}  // namespace

void AddInitSource(CLI::App& init, ChosenVerb& chosen) {
  auto options = std::make_shared<InitSourceOptions>();  // shared: the options' targets and the callbacks outlive this call
  CLI::App* source = init.add_subcommand("source", "Add a source to the project: asks, tries the connection, shows ten rows");
  source->fallthrough();
  source->add_option("--type", options->type, "The connector")->type_name("TYPE");
  source->add_option("--name", options->name, "The source's name, the first part of its tables' names")->type_name("NAME");
  source->add_option("--stream", options->streams, "A stream of it; may be given again")->type_name("NAME");
  source->add_option("--primary-key", options->primary_key, "Columns that tell rows apart")->delimiter(',')->type_name("COLUMN,...");
  source->add_option("--write-disposition", options->write_disposition, "append, replace or merge")->check(CLI::IsMember({"append", "replace", "merge"}));
  source->add_option("--cursor", options->cursor, "Column that grows: only what is new is read")->type_name("COLUMN");
  source->add_option("--owner", options->owner, "Who is asked about it");
  source->add_option("--description", options->description, "What it is");
  source->add_option("--freshness", options->freshness, "Rows should come at least so often, such as 26h")->type_name("DURATION");
  source->add_flag("--force", options->force, "Write the file even if the source does not answer");
  for (const auto& [path, typable] : OptionsOfConnectors()) {
    const std::string name = path;  // a structured binding cannot be captured
    source->add_option_function<std::string>("--" + name, [options, name](const std::string& value) { options->options[name] = value; },
                                             typable.types + ": " + typable.description)
        ->type_name("VALUE")
        ->group("Options of the connectors");
  }
  source->footer("Examples:\n  caudal init source\n  caudal init source --type files --name stores --location drops --glob 'sales-*.csv'\n"
                 "  caudal init source --type postgres --name erp --host db --database shop --user reader --password '${ERP_PASSWORD}' --stream orders");
  source->callback([&chosen, options] {
    chosen = [options](const Command& command) { return InitSourceVerb(command, *options); };
  });
}

}  // namespace caudal
