// The command line: what is typed becomes one call of a verb. docs/cli.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/verbs.h"

namespace CLI {
class App;
}

namespace caudal {

/// Everything but `caudal worker`. Gives the exit code; no exception leaves it.
int RunCli(int argc, char** argv);

/// Set by the subcommand that was typed.
using ChosenVerb = std::function<Result<int>(const Command&)>;

/// Each adds a group of subcommands; `chosen` and `app` outlive the parse.
void AddProjectVerbs(CLI::App& app, ChosenVerb& chosen);
void AddRunVerbs(CLI::App& app, ChosenVerb& chosen);
void AddLookVerbs(CLI::App& app, ChosenVerb& chosen);
void AddTableVerbs(CLI::App& app, ChosenVerb& chosen);
void AddDaemonVerbs(CLI::App& app, ChosenVerb& chosen);
void AddAccessVerbs(CLI::App& app, ChosenVerb& chosen);

/// `caudal init source`, below `init`.
void AddInitSource(CLI::App& init, ChosenVerb& chosen);

/// `caudal completion SHELL`: verbs and options as `app` has them.
void AddCompletionVerb(CLI::App& app, ChosenVerb& chosen);

/// What was typed wrong, with the nearest right word. `app` was parsed as far as it went; `message` is the parser's.
Error ExplainMistake(const CLI::App& app, const std::string& message, const std::vector<std::string>& left_over);

}  // namespace caudal
