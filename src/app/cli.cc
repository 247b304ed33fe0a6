#include "app/cli.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <system_error>

#include "app/exit_code.h"

namespace caudal {
namespace {

constexpr const char* kAbout =
    "Caudal: a company's whole data pipeline in one program. A project is a folder with caudal.yaml, sources/, models/ and "
    "pipelines/; its tables lie in its lake.";

constexpr const char* kFooter = R"(Examples:
  caudal init shop && cd shop     a project that runs
  caudal validate                 every mistake, with its place
  caudal run                      load, check, publish
  caudal sql "FROM gold.daily_sales"
  caudal retry                    go on where a run stopped
  caudal serve                    run pipelines when they are due

Exit codes: 0 fine, 1 a task, check or test failed, 2 a wrong argument or project file, 3 not found, 4 permission,
5 try again later, 6 somebody else holds it, 7 corruption, 8 a bug, 130 stopped.)";

struct Typed {
  GlobalOptions global;
  std::string output = "text";
  bool no_color = false;
  bool no_sandbox = false;
};

void AddGlobalOptions(CLI::App& app, Typed& typed) {
  app.add_option("--project", typed.global.project, "Folder of the project; else the nearest one above with caudal.yaml")
      ->type_name("DIR");
  app.add_option("--output", typed.output, "text, json, or for `sql` table, csv")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json", "table", "csv"}));
  app.add_flag("--no-color", typed.no_color, "Plain text; so does NO_COLOR, and a pipe");
  app.add_flag("--no-sandbox", typed.no_sandbox, "Run workers with all the rights of this user");
  app.add_flag("--verbose", typed.global.verbose, "Also tell what went well");
}

OutputFormat FormatOf(const std::string& word) {
  if (word == "json") return OutputFormat::kJson;
  return word == "csv" ? OutputFormat::kCsv : OutputFormat::kText;
}

/// What was typed may not be parsable, and the error is to come in the form that was asked for all the same.
OutputFormat AskedFormat(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--output=json") return OutputFormat::kJson;
    if (word == "--output" && i + 1 < argc && std::string_view(argv[i + 1]) == "json") return OutputFormat::kJson;
  }
  return OutputFormat::kText;
}

const CLI::App& Deepest(const CLI::App& app) {
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().back();
  return *deepest;
}

int Execute(const Typed& typed, const ChosenVerb& chosen, const std::string& verb) {
  const Console console(FormatOf(typed.output), !typed.no_color);
  if (console.format() == OutputFormat::kCsv && verb != "sql") {
    return console.Fail(Error{ErrorKind::kInvalidArgument, "only `sql` writes csv", "--output text, or json", "--output"});
  }
  Command command{typed.global, console};
  command.global.output = console.format();
  command.global.sandbox = !typed.no_sandbox;
  auto result = chosen(command);
  if (!result) return console.Fail(result.error());
  if (*result == kExitOk && Console::Failure() != 0) {
    std::fprintf(stderr, "error: standard output took only a part: %s\n", std::strerror(Console::Failure()));
    return ExitCodeOf(ErrorKind::kUnavailable);
  }
  return *result;
}

int Parse(int argc, char** argv) {
  CLI::App app(kAbout, "caudal");
  app.footer(kFooter);
  app.set_version_flag("--version", "caudal " CAUDAL_VERSION);
  app.set_help_flag("-h,--help", "These lines");
  app.require_subcommand(1);
  app.get_formatter()->column_width(28);
  Typed typed;
  ChosenVerb chosen;
  AddGlobalOptions(app, typed);
  AddProjectVerbs(app, chosen);
  AddRunVerbs(app, chosen);
  AddLookVerbs(app, chosen);
  AddTableVerbs(app, chosen);
  AddDaemonVerbs(app, chosen);
  AddAccessVerbs(app, chosen);
  AddCompletionVerb(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& mistake) {
    if (argc == 1) {
      std::fputs(app.help().c_str(), stderr);
      return kExitUsage;
    }
    return Console(AskedFormat(argc, argv), true).Fail(ExplainMistake(app, mistake.what(), app.remaining(true)));
  }
  return Execute(typed, chosen, app.get_subcommands().front()->get_name());
}

Error Bug(const std::exception& failure) {
  return Error{ErrorKind::kInternal, std::string("a bug of caudal: ") + failure.what(), "please report it with the command", ""};
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

Error ExplainMistake(const CLI::App& app, const std::string& message, const std::vector<std::string>& left_over) {
  const CLI::App& verb = Deepest(app);
  const bool no_verb = app.get_subcommands().empty();
  const CLI::App* above = verb.get_parent();
  const std::string nested = above == nullptr || above == &app ? "" : above->get_name() + " ";
  const std::string help = no_verb ? "caudal --help" : "caudal " + nested + verb.get_name() + " --help";
  const std::vector<const CLI::Option*> options = verb.get_options();
  const bool takes_words = std::any_of(options.begin(), options.end(), [](const CLI::Option* o) { return o->get_positional(); });
  std::vector<std::string> names = OptionNames(app);
  const std::vector<std::string> own = OptionNames(verb);
  names.insert(names.end(), own.begin(), own.end());
  for (const std::string& word : left_over) {
    if (word.empty()) continue;
    const bool option = word[0] == '-' && word.size() > 1;
    std::vector<std::string> verbs;
    for (const CLI::App* sub : verb.get_subcommands({})) verbs.push_back(sub->get_name());
    if (!option && (verbs.empty() || takes_words)) {
      return Error{ErrorKind::kInvalidArgument, "'" + word + "' is one word too many for `" + verb.get_name() + "`", "see `" + help + "`", ""};
    }
    const std::string bare = option ? word.substr(0, word.find('=')) : word;
    const std::string near = Nearest(bare, option ? names : verbs);
    return Error{ErrorKind::kInvalidArgument,
                 option ? "there is no option " + bare + (no_verb ? "" : " of `" + verb.get_name() + "`") : "there is no verb '" + word + "'",
                 near.empty() ? "see `" + help + "`" : "did you mean '" + near + "'? see `" + help + "`", ""};
  }
  return Error{ErrorKind::kInvalidArgument, message, "see `" + help + "`", ""};
}

int RunCli(int argc, char** argv) {
  try {
    return Parse(argc, argv);
  } catch (const std::system_error& failure) {
    const bool limit = failure.code() == std::errc::resource_unavailable_try_again;
    return Console(AskedFormat(argc, argv), true)
        .Fail(limit ? Error{ErrorKind::kUnavailable, "the system gives no thread: too many processes of this user",
                            "raise the limit (`ulimit -u`), or end some, then try again", ""}
                    : Bug(failure));
  } catch (const std::exception& failure) {
    return Console(AskedFormat(argc, argv), true)
        .Fail(Bug(failure));
  }
}

}  // namespace caudal
