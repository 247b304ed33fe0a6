#include "app/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/analysis_cache.h"
#include "base/yaml.h"
#include "connect/source.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnExecutable = "/proc/self/exe";
constexpr std::chrono::minutes kAnalysisLimit{2};

/// Tells one build from another.
std::string ProgramStamp() {
  struct stat info {};
  if (::stat(kOwnExecutable, &info) != 0) return CAUDAL_VERSION;
  return fmt::format("{} {} {}.{}", CAUDAL_VERSION, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

std::string OwnPath() {
  std::error_code error;
  const fs::path path = fs::read_symlink(kOwnExecutable, error);
  return error ? std::string(kOwnExecutable) : path.string();
}

/// Folders of processes that were killed before they could tidy up.
void SweepTempFolders(const fs::path& parent) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 0) continue;
    if (::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

/// Where this command's workers keep their files; the system's folder where the project's cannot be written.
std::string TempFolderOf(const std::string& project) {
  const fs::path own = fs::path(project) / ".caudal";
  std::error_code error;
  fs::create_directories(own, error);
  if (!error && !fs::exists(own / ".gitignore")) std::ofstream(own / ".gitignore") << "*\n";
  const std::string pid = fmt::format("{}", ::getpid());
  if (!error && ::access(own.c_str(), W_OK) == 0) {
    SweepTempFolders(own / "tmp");
    return (own / "tmp" / pid).string();
  }
  return (fs::temp_directory_path(error) / ("caudal-" + pid)).string();
}

/// The lake's URL before the project is known to be without mistakes. What caudal.yaml means in full, and what is
/// wrong in it, is the project's to say.
std::string GuessLakeUrl(const std::string& project) {
  std::ifstream in(project + "/caudal.yaml", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const YamlOutcome yaml = ReadYaml(text.str());
  const YamlNode* lake = yaml.root.is_map() ? yaml.root.Find("lake") : nullptr;
  const std::string word = lake != nullptr && lake->is_scalar() ? lake->text : "lake";
  if (word.find("://") != std::string::npos) return word;
  return "file://" + (fs::path(project) / word).lexically_normal().string();
}

class EngineAnalyzer final : public SqlAnalyzer {
 public:
  explicit EngineAnalyzer(Engine& engine) : x_engine(engine) {}

  Result<std::vector<Analysis>> Analyze(const std::vector<CatalogTable>& tables,
                                        const std::vector<AnalyzeQuery>& queries) override {
    RunOptions options;
    options.limits.timeout = kAnalysisLimit;
    TRY_ASSIGN(AnalyzeResult result, RunAnalyze(x_engine, AnalyzeJob{tables, queries}, options, nullptr));
    return std::move(result.queries);
  }

 private:
  Engine& x_engine;
};

Result<std::string> FolderOf(const GlobalOptions& options) {
  std::error_code error;
  if (options.project.empty()) return FindProjectFolder(fs::current_path(error).string());
  const fs::path folder = fs::absolute(options.project, error).lexically_normal();
  if (!fs::exists(folder / "caudal.yaml", error)) {
    const bool there = fs::is_directory(folder, error);
    if (!there && fs::exists(folder, error)) {
      return Error{ErrorKind::kInvalidArgument, "--project takes the project's folder, and this is a file: " + folder.string(),
                   "give the folder: --project " + ShellQuoted(folder.parent_path().string()), "--project"};
    }
    return Error{ErrorKind::kNotFound,
                 there ? "there is no caudal.yaml in " + folder.string() : "there is no folder " + folder.string(),
                 "`caudal init " + ShellQuoted(options.project) + "` starts a project there", ""};
  }
  std::string text = folder.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

Session::Session(const GlobalOptions& options, std::string folder)
    : x_folder(std::move(folder)),
      x_temp_folder(TempFolderOf(x_folder)),
      x_pool(std::make_unique<LatePool>(PoolOptions{OwnPath(), 2, x_temp_folder, options.sandbox})),
      x_engine(MakeAnalysisCache(*x_pool, x_folder + "/.caudal/analysis.json", ProgramStamp())),
      x_connectors(BuiltinRegistry().Specs()) {}

Result<std::unique_ptr<Session>> Session::Open(const GlobalOptions& options) {
  TRY_ASSIGN(std::string folder, FolderOf(options));
  return std::unique_ptr<Session>(new Session(options, std::move(folder)));
}

/// Schemas that only the lake knows: of tables whose schema is named like a source. A table that cannot be read is left
/// out here and complained about by whoever needs it.
std::map<std::string, Schema> Session::PublishedSchemas() {
  std::map<std::string, Schema> published;
  const std::string url = GuessLakeUrl(x_folder);
  std::error_code error;
  std::string root;
  if (IsLocalLake(url, root) && !fs::is_directory(root, error)) return published;  // a folder is not made by looking
  auto lake = LakeOf(url);
  if (!lake) return published;
  for (const auto& source : fs::directory_iterator(fs::path(x_folder) / "sources", error)) {
    const std::string schema = source.path().stem().string();
    for (const std::string& name : (*lake)->TablesBelow(schema)) {
      auto latest = Table((*lake)->store(), schema + "/" + name, SystemClock()).Latest();
      if (latest) published[schema + "." + name] = (*latest)->schema;
    }
  }
  return published;
}

Result<LakeAccess*> Session::LakeOf(const std::string& url) {
  if (!x_lake || x_lake->url() != url) {
    TRY_ASSIGN(x_lake, LakeAccess::Open(url, x_folder));
  }
  return x_lake.get();
}

LoadOutcome Session::Load() {
  EngineAnalyzer analyzer(*x_engine);
  LoadOptions options;
  options.folder = x_folder;
  options.connectors = &x_connectors;
  options.analyzer = &analyzer;
  options.published = PublishedSchemas();
  options.catalogs = ReadCatalogs(x_folder);
  LoadOutcome outcome = LoadProject(options);
  x_project = outcome.project;
  return outcome;
}

Result<std::shared_ptr<const Project>> Session::Reload() {
  const LoadOutcome outcome = Load();
  if (outcome.project) return outcome.project;
  const Problem* first = nullptr;
  std::size_t others = 0;
  for (const Problem& problem : outcome.problems) {
    if (problem.warning) continue;
    if (first != nullptr) ++others;
    if (first == nullptr) first = &problem;
  }
  if (first == nullptr) return Error{ErrorKind::kInternal, "the project was refused without a reason", "", ""};
  std::string next = first->next;
  if (others > 0) {
    next += (next.empty() ? "" : "; ") + fmt::format("`caudal validate` lists {} more", others);
  }
  return Error{ErrorKind::kInvalidArgument, first->message, next, first->place.ToString()};
}

Result<const Project*> Session::LoadedProject() {
  if (x_project) return x_project.get();
  TRY_ASSIGN(x_project, Reload());
  return x_project.get();
}

Result<StateStore*> Session::State() {
  if (!x_state) {
    TRY_ASSIGN(x_state, MakeSqliteStore(x_folder + "/.caudal/state.db"));
  }
  return x_state.get();
}

Result<const Workspace*> Session::OpenWorkspace() {
  if (x_workspace) return &*x_workspace;
  TRY_ASSIGN(const Project* project, LoadedProject());
  TRY_ASSIGN(StateStore * state, State());
  TRY_ASSIGN(LakeAccess * lake, LakeOf(project->lake_url));
  TRY_ASSIGN(Workspace workspace, lake->WorkspaceOf(*project, *x_engine, *state, x_connectors));
  x_workspace.emplace(workspace);
  return &*x_workspace;
}

Result<const Workspace*> Session::RenewWorkspace() {
  x_workspace.reset();
  x_project.reset();
  return OpenWorkspace();
}

Result<const Node*> FindTable(const Project& project, const std::string& table) {
  if (const Node* node = project.Find(table)) return node;
  std::vector<std::string> names;
  for (const Node& node : project.nodes) names.push_back(node.table);
  const std::string near = Nearest(table, names);
  return Error{ErrorKind::kNotFound, "no table of the project is called '" + table + "'",
               near.empty() ? "`caudal show` lists the tables" : "did you mean '" + near + "'?", ""};
}

}  // namespace caudal
