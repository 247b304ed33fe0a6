// `caudal completion bash|zsh`: the script is made from the verbs and options as they are.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "app/cli.h"
#include "app/exit_code.h"
#include "connect/source.h"
#include "project/project.h"

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

/// The kinds of names that a project has, by the word that stands for one in the help.
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"TABLE", "tables"}, {"MODEL", "models"}, {"PIPELINE", "pipelines"}, {"SOURCE", "sources"}, {"NAME", "tests"}};

/// The kind of the verb's own argument, "" where it is no name of the project.
std::string KindOfArgument(const CLI::App& verb) {
  for (const CLI::Option* option : verb.get_options()) {
    for (const auto& [word, kind] : kKinds) {
      if (option->get_positional() && option->get_name() == word) return std::string(kind);
    }
  }
  return "";
}

std::set<std::string> NamesOf(const Project& project, const std::string& kind) {
  std::set<std::string> names;
  const bool selectors = kind == "selectors";
  for (const Node& node : project.nodes) {
    const bool model = node.kind == Node::Kind::kModel;
    if (kind == "tables" || selectors || (model && kind == "models")) names.insert(node.table);
    if (!selectors) continue;
    for (const std::string& tag : node.tags) names.insert("tag:" + tag);
    if (model) names.insert("path:" + node.path.substr(0, node.path.rfind('/')));
  }
  if (kind == "pipelines") {
    for (const PipelineConfig& pipeline : project.pipelines) names.insert(pipeline.name);
  } else if (kind == "sources" || selectors) {
    for (const SourceConfig& source : project.sources) names.insert((selectors ? "source:" : "") + source.name);
  } else if (kind == "tests") {
    for (const UnitTest& test : project.tests) names.insert({test.name, test.model});
  }
  return names;
}

/// The project's names, one a line. Looks at no SQL, starts no worker: a key was pressed.
Result<int> PrintNames(const Command& command, const std::string& kind) {
  std::error_code error;
  std::string folder = command.global.project;
  if (folder.empty()) {
    TRY_ASSIGN(folder, FindProjectFolder(std::filesystem::current_path(error).string()));
  }
  const std::vector<ConnectorSpec> connectors = BuiltinRegistry().Specs();
  LoadOptions options;
  options.folder = std::filesystem::absolute(folder, error).lexically_normal().string();
  options.connectors = &connectors;
  options.catalogs = ReadCatalogs(options.folder);
  const LoadOutcome outcome = LoadProject(options);
  if (!outcome.project) return kExitUsage;
  for (const std::string& name : NamesOf(*outcome.project, kind)) command.console.Write(name + "\n");
  return kExitOk;
}

std::string BashScript(const CLI::App& app) {
  std::string cases;
  for (const CLI::App* verb : app.get_subcommands({})) {
    std::string words = VerbWords(*verb);
    std::string kind = KindOfArgument(*verb);
    for (const CLI::App* sub : verb->get_subcommands({})) {
      if (kind.empty()) kind = KindOfArgument(*sub);
    }
    words += (words.empty() ? "" : " ") + OptionWords(*verb);
    cases += fmt::format("    {}) words=\"{} $global\" kind={} ;;\n", verb->get_name(), words, kind);
  }
  return fmt::format(R"sh(# caudal completion bash: put `source <(caudal completion bash)` into ~/.bashrc
_caudal() {{
  local current= previous= word verb= words kind= before= colons= project=
  local global="{}"
  # Bash takes a selector such as source:erp for three words.
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD}}"; do
    if [ -n "$current" ] && {{ [ "$word" = : ] || [ "${{current%:}}" != "$current" ]; }}; then
      current=$current$word
      continue
    fi
    case $previous in
      --project) project=$current ;;
      --output) ;;
      *) case $current in ''|-*) ;; *) verb=${{verb:-$current}} ;; esac ;;
    esac
    previous=$current current=$word
  done
  case $previous in
    --project) COMPREPLY=($(compgen -d -- "$current")); return ;;
    -f|--file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --output) COMPREPLY=($(compgen -W "text json table csv" -- "$current")); return ;;
    --template) COMPREPLY=($(compgen -W "empty files" -- "$current")); return ;;
  esac
  case $verb in
{}    *) words="{} $global" ;;
  esac
  case $previous in -s|--select|--exclude) words= kind=selectors ;; esac
  case $kind:$current in
    selectors:*) word=${{current##*[,+@]}} before=${{current%"$word"}} current=$word ;;
    *:-*) kind= ;;
  esac
  if [ -n "$kind" ]; then
    words="$words $("${{COMP_WORDS[0]}}" completion --names "$kind" ${{project:+--project "$project"}} 2>/dev/null)"
  fi
  COMPREPLY=($(compgen -P "$before" -W "$words" -- "$current"))
  case $COMP_WORDBREAKS in *:*) colons=$before$current colons=${{colons%"${{colons##*:}}"}} ;; esac
  [ -z "$colons" ] || COMPREPLY=("${{COMPREPLY[@]#"$colons"}}")
}}
complete -o default -F _caudal caudal
)sh",
                     OptionWords(app), cases, VerbWords(app));
}

/// zsh runs bash's completions.
std::string ZshScript(const CLI::App& app) {
  return "# caudal completion zsh: put `source <(caudal completion zsh)` into ~/.zshrc, after compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" + BashScript(app);
}

}  // namespace

void AddCompletionVerb(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* completion = app.add_subcommand("completion", "Print a script that completes verbs, options and names in a shell");
  auto shell = std::make_shared<std::string>();  // shared: the options' targets and the callback outlive this call
  auto names = std::make_shared<std::string>();  // shared: as above
  completion->add_option("SHELL", *shell, "bash or zsh")->check(CLI::IsMember({"bash", "zsh"}));
  completion->add_option("--names", *names, "For the script: the project's names of a kind")
      ->check(CLI::IsMember({"tables", "models", "pipelines", "sources", "tests", "selectors"}))
      ->group("");
  completion->group("Project");
  completion->fallthrough();
  completion->footer("Example:\n  source <(caudal completion bash)");
  completion->callback([&app, &chosen, shell, names] {
    chosen = [&app, shell, names](const Command& command) -> Result<int> {
      if (!names->empty()) return PrintNames(command, *names);
      if (shell->empty()) return Error{ErrorKind::kInvalidArgument, "no shell is named", "`caudal completion bash`, or zsh", ""};
      command.console.Write(*shell == "bash" ? BashScript(app) : ZshScript(app));
      return kExitOk;
    };
  });
}

}  // namespace caudal
