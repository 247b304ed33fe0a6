#include "project/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/ids.h"
#include "project/source_file.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{16} << 20;
constexpr int kMaxDepth = 16;

constexpr const char* kReadable = "give the user who runs caudal the right to read it";

class FolderReader {
 public:
  FolderReader(std::string folder, ProblemList& problems) : x_folder(std::move(folder)), x_problems(problems) {}

  std::vector<ProjectFile> Read() {
    if (!Config()) return {};
    Root();
    Walk("sources", 0, [this](const std::string& path) { Yaml(path, ProjectFile::Kind::kSource, false); });
    Walk("models", 0, [this](const std::string& path) { Model(path); });
    Walk("pipelines", 0, [this](const std::string& path) { Yaml(path, ProjectFile::Kind::kPipeline, false); });
    Walk("tests", 0, [this](const std::string& path) { Yaml(path, ProjectFile::Kind::kTest, true); });
    Walk("lists", 0, [this](const std::string& path) { List(path); });
    std::sort(x_files.begin(), x_files.end(),
              [](const ProjectFile& a, const ProjectFile& b) { return a.path < b.path; });
    return std::move(x_files);
  }

 private:
  fs::path Absolute(const std::string& path) const { return fs::path(x_folder) / path; }
  void Add(const std::string& path, std::string message, std::string next) {
    x_problems.Add(Place{path, 0, 0}, std::move(message), std::move(next));
  }
  void Warn(const std::string& path, std::string message, std::string next) {
    x_problems.Warn(Place{path, 0, 0}, std::move(message), std::move(next));
  }

  bool Config() {
    std::error_code error;
    if (!fs::is_directory(x_folder, error)) {
      Add(x_folder, "there is no such folder", "caudal init makes a project");
      return false;
    }
    if (!fs::exists(Absolute("caudal.yaml"), error)) {
      bool other = fs::exists(Absolute("caudal.yml"), error);
      Add("caudal.yaml", "there is no caudal.yaml in " + x_folder,
          other ? "rename caudal.yml" : "caudal init makes a project");
      return false;
    }
    Keep("caudal.yaml", ProjectFile::Kind::kConfig, "", "caudal");
    return true;
  }

  std::vector<fs::directory_entry> Entries(const std::string& path) {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    fs::directory_iterator it(path.empty() ? fs::path(x_folder) : Absolute(path), error), end;
    if (error) Add(path.empty() ? x_folder : path, "the folder cannot be read: " + error.message(), kReadable);
    while (!error && it != end) {
      if (it->path().filename().string()[0] != '.') entries.push_back(*it);
      it.increment(error);
    }
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  // A warning at most: a project may hold anything else. What looks like a slip is named.
  void Root() {
    const std::vector<std::string> kFolders = {"sources", "models", "pipelines", "tests", "lists"};
    const std::vector<std::string> kLater = {"topics", "migrations", "dashboards"};
    for (const fs::directory_entry& entry : Entries("")) {
      std::string name = entry.path().filename().string();
      std::error_code error;
      if (!entry.is_directory(error)) {
        std::string ending = entry.path().extension().string();
        if (ending == ".sql") Warn(name, "the file is not read", "models stand at models/<schema>/<name>.sql");
        continue;
      }
      if (std::find(kFolders.begin(), kFolders.end(), name) != kFolders.end()) continue;
      if (std::find(kLater.begin(), kLater.end(), name) != kLater.end()) {
        Warn(name, "the folder '" + name + "' is not read yet", "leave it, or move it away: it changes nothing");
        continue;
      }
      std::string nearest = name.size() < 4 ? "" : Nearest(name, kFolders);
      if (!nearest.empty()) Warn(name, "the folder '" + name + "' is not read", "did you mean '" + nearest + "'?");
    }
  }

  template <typename Visit>
  void Walk(const std::string& path, int depth, const Visit& visit) {
    std::error_code error;
    if (depth == 0 && !fs::exists(Absolute(path), error)) return;
    if (depth == 0 && !fs::is_directory(Absolute(path), error)) return Add(path, "should be a folder", "move the file away");
    if (depth > kMaxDepth) return Add(path, "folders are nested too deep", "move them further up");
    for (const fs::directory_entry& entry : Entries(path)) {
      std::string below = path + "/" + entry.path().filename().string();
      if (entry.is_directory(error)) {
        Walk(below, depth + 1, visit);
      } else {
        visit(below);
      }
    }
  }

  bool Keep(const std::string& path, ProjectFile::Kind kind, std::string schema, std::string name) {
    std::error_code error;
    if (!fs::is_regular_file(Absolute(path), error)) {
      Add(path, error ? "the file cannot be read: " + error.message() : "should be a file",
          error ? kReadable : "rename or remove what is there");
      return false;
    }
    if (fs::file_size(Absolute(path), error) > kMaxFileBytes) {
      Add(path, "the file is larger than 16 MiB", "project files are text that people wrote: move it out of this folder");
      return false;
    }
    errno = 0;
    std::ifstream stream(Absolute(path), std::ios::binary);
    ProjectFile file{kind, path, std::move(schema), std::move(name), ""};
    if (stream) file.text.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    if (!stream) {
      Add(path, std::string("the file cannot be read: ") + std::strerror(errno), kReadable);
      return false;
    }
    x_files.push_back(std::move(file));
    return true;
  }

  void Yaml(const std::string& path, ProjectFile::Kind kind, bool nested) {
    fs::path p(path);
    std::string ending = p.extension().string();
    if (ending == ".yml") return Add(path, "the name ends in .yml", "rename it to " + p.stem().string() + ".yaml");
    if (kind == ProjectFile::Kind::kSource && ending == ".csv") return Warn(path, "the file is not read", "a list for `for_each:` stands in lists/");
    if (ending != ".yaml") return Warn(path, "the file is not read", "names end in .yaml here");
    if (!nested && p.parent_path().has_parent_path()) {
      return Add(path, "lies too deep", "move it to " + p.begin()->string() + "/" + p.filename().string());
    }
    std::string name = p.stem().string();
    std::string why;
    if (kind == ProjectFile::Kind::kSource) why = WhyNoSchemaName(name);
    if (kind == ProjectFile::Kind::kPipeline && !IsIdentifier(name)) why = WhyNoTableName(name);
    if (!why.empty()) return Add(path, "the name '" + name + "' " + why, "rename the file");
    Keep(path, kind, "", name);
  }

  void List(const std::string& path) {
    const std::string ending = fs::path(path).extension().string();
    if (ending == ".yml") return Add(path, "the name ends in .yml", "rename it to " + fs::path(path).stem().string() + ".yaml");
    if (ending != ".yaml" && ending != ".csv") return Warn(path, "the file is not read", "lists end in .csv or .yaml");
    Keep(path, ProjectFile::Kind::kList, "", fs::path(path).stem().string());
  }

  void Model(const std::string& path) {
    fs::path p(path);
    std::string ending = p.extension().string();
    if (ending == ".yaml" || ending == ".yml") {
      return Warn(path, "the file is not read", "what it says of a model goes into the model's header");
    }
    if (ending != ".sql") return Warn(path, "the file is not read", "models end in .sql");
    std::vector<std::string> parts(p.begin(), p.end());
    if (parts.size() != 3) {
      return Add(path, parts.size() < 3 ? "lies in no schema" : "lies too deep", "models stand at models/<schema>/<name>.sql");
    }
    std::string name = p.stem().string();
    std::string why_schema = WhyNoSchemaName(parts[1]);
    std::string why = WhyNoTableName(name);
    if (!why_schema.empty()) Add(path, "the schema '" + parts[1] + "' " + why_schema, "rename the folder");
    if (!why.empty()) Add(path, "the name '" + name + "' " + why, "rename the file");
    if (why.empty() && why_schema.empty()) Keep(path, ProjectFile::Kind::kModel, parts[1], name);
  }

  std::string x_folder;
  ProblemList& x_problems;
  std::vector<ProjectFile> x_files;
};

}  // namespace

std::vector<ProjectFile> ReadProjectFolder(const std::string& folder, ProblemList& problems) {
  try {
    return FolderReader(folder, problems).Read();
  } catch (const std::exception& e) {  // std::filesystem throws where memory or names fail
    problems.Add(Place{folder, 0, 0}, std::string("the folder cannot be read: ") + e.what(), kReadable);
    return {};
  }
}

std::string HashOf(const std::vector<ProjectFile>& files) {
  Sha256 hash;
  for (const ProjectFile& file : files) {
    for (const std::string* part : {&file.path, &file.text}) {
      hash.Update(std::to_string(part->size()) + ":");
      hash.Update(*part);
    }
  }
  return hash.Hex();
}

Result<std::string> FindProjectFolder(const std::string& start) {
  std::error_code error;
  fs::path folder = fs::absolute(start, error).lexically_normal();
  if (error || !fs::exists(folder, error)) {
    return Error{ErrorKind::kNotFound, "there is no such folder: " + start, "go into a project, or name one with --project", ""};
  }
  if (!folder.has_filename()) folder = folder.parent_path();
  for (fs::path at = folder;; at = at.parent_path()) {
    if (fs::is_regular_file(at / "caudal.yaml", error)) return at.string();
    if (at == at.root_path() || !at.has_parent_path()) break;
  }
  return Error{ErrorKind::kNotFound, "there is no caudal.yaml in " + folder.string() + " or above it",
               "go into a project, name one with --project, or make one with caudal init", ""};
}

}  // namespace caudal
