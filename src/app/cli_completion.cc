// `caudal completion bash|zsh`: the script is made from the verbs and options as they are.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"
#include "app/exit_code.h"

namespace caudal {
namespace {

/// The long names of `app`'s options, "--project --output".
std::string OptionWords(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += (words.empty() ? "--" : " --") + name;
  }
  return words;
}

std::string VerbWords(const CLI::App& app) {
  std::string words;
  for (const CLI::App* verb : app.get_subcommands({})) words += (words.empty() ? "" : " ") + verb->get_name();
  return words;
}

std::string BashScript(const CLI::App& app) {
  std::string cases;
  for (const CLI::App* verb : app.get_subcommands({})) {
    std::string words = VerbWords(*verb);
    words += (words.empty() ? "" : " ") + OptionWords(*verb);
    cases += fmt::format("    {}) words=\"{} $global\" ;;\n", verb->get_name(), words);
  }
  return fmt::format(R"(# caudal completion bash: put `source <(caudal completion bash)` into ~/.bashrc
_caudal() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} verb= word words
  local global="{}"
  case $previous in
    --project) COMPREPLY=($(compgen -d -- "$current")); return ;;
    -f|--file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --output) COMPREPLY=($(compgen -W "text json table csv" -- "$current")); return ;;
    --template) COMPREPLY=($(compgen -W "empty files" -- "$current")); return ;;
  esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in -*) ;; *) verb=$word; break ;; esac
  done
  case $verb in
{}    *) words="{} $global" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _caudal caudal
)",
                     OptionWords(app), cases, VerbWords(app));
}

/// zsh runs bash's completions.
std::string ZshScript(const CLI::App& app) {
  return "# caudal completion zsh: put `source <(caudal completion zsh)` into ~/.zshrc, after compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" + BashScript(app);
}

}  // namespace

void AddCompletionVerb(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* completion = app.add_subcommand("completion", "Print a script that completes verbs and options in a shell");
  auto shell = std::make_shared<std::string>();  // shared: the option's target and the callback outlive this call
  completion->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  completion->group("Project");
  completion->fallthrough();
  completion->footer("Example:\n  source <(caudal completion bash)");
  completion->callback([&app, &chosen, shell] {
    chosen = [&app, shell](const Command& command) -> Result<int> {
      command.console.Write(*shell == "bash" ? BashScript(app) : ZshScript(app));
      return kExitOk;
    };
  });
}

}  // namespace caudal
