#include "app/release_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "app/lake_access.h"
#include "base/ids.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

/// The project, and what its runs need beside it, in one piece.
struct Release {
  std::shared_ptr<const Project> project;  // as LoadProject gives it; the workspace refers to it
  std::unique_ptr<LakeAccess> lake;
  std::optional<Workspace> workspace;
};

class ReleaseFolder final : public ReleaseSource {
 public:
  explicit ReleaseFolder(Session& session) : x_session(session) {}

  /// Names, sizes and times of the files that a project is made of: none of them is read.
  std::string Fingerprint() override {
    std::vector<std::string> lines;
    const fs::path folder = x_session.folder();
    Note(folder / "caudal.yaml", lines);
    for (const char* part : {"sources", "models", "pipelines", "tests", "lists"}) {
      std::error_code error;
      for (fs::recursive_directory_iterator it(folder / part, error), end; !error && it != end; it.increment(error)) Note(it->path(), lines);
    }
    std::error_code error;
    for (fs::directory_iterator it(CatalogFolder(x_session.folder()), error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".json") Note(it->path(), lines);
    }
    std::sort(lines.begin(), lines.end());
    Sha256 digest;
    for (const std::string& line : lines) digest.Update(line);
    return digest.Hex();
  }

  Result<std::shared_ptr<const Workspace>> Load() override {
    const std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto project, x_session.Reload());
    TRY_ASSIGN(StateStore * state, x_session.State());
    auto release = std::make_shared<Release>();
    release->project = std::move(project);
    TRY_ASSIGN(release->lake, LakeAccess::Open(release->project->lake_url, x_session.folder()));
    TRY_ASSIGN(Workspace made, release->lake->WorkspaceOf(*release->project, x_session.engine(), *state, x_session.connectors()));
    release->workspace.emplace(made);
    const Workspace* workspace = &*release->workspace;
    return std::shared_ptr<const Workspace>(std::move(release), workspace);  // lives as long as its release
  }

 private:
  static void Note(const fs::path& path, std::vector<std::string>& lines) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return;
    const auto number = [](auto n) { return " " + std::to_string(n); };
    lines.push_back(path.string() + number(info.st_ino) + number(S_ISDIR(info.st_mode) ? 0 : info.st_size) + number(info.st_mtim.tv_sec) +
                    number(info.st_mtim.tv_nsec) + "\n");
  }

  Session& x_session;
  std::mutex x_mutex;  // a session is one thread's
};

}  // namespace

std::unique_ptr<ReleaseSource> MakeReleaseFolder(Session& session) { return std::make_unique<ReleaseFolder>(session); }

}  // namespace caudal
