#include "app/lake_access.h"

#include <filesystem>
#include <utility>

#include "app/remote_lake.h"
#include "store/atomic_probe.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderScheme = "file://";
constexpr std::string_view kS3Scheme = "s3://";

}  // namespace

bool IsLocalLake(const std::string& url, std::string& folder) {
  if (!url.starts_with(kFolderScheme)) return false;
  folder = url.substr(kFolderScheme.size());
  return true;
}

Result<std::unique_ptr<LakeAccess>> LakeAccess::Open(const std::string& url, const std::string& project_folder) {
  std::unique_ptr<LakeAccess> lake(new LakeAccess(url, project_folder));
  std::string folder;
  if (IsLocalLake(url, folder)) {
    TRY_ASSIGN(lake->x_store, MakeLocalStore(folder));
  } else if (url.starts_with(kS3Scheme)) {
    TRY_ASSIGN(auto store, OpenS3Lake(url, project_folder));
    lake->x_s3 = store.get();
    lake->x_store = std::move(store);
  } else {
    return Error{ErrorKind::kUnsupported, "the lake is on a store that does not exist: " + url, "write lake: lake, or lake: s3://bucket/prefix", "caudal.yaml"};
  }
  return lake;
}

std::vector<std::string> LakeAccess::TablesBelow(const std::string& schema) const {
  std::vector<std::string> names;
  if (x_s3 != nullptr) {
    auto found = x_s3->Folders(schema);
    if (found) names = *std::move(found);
    return names;
  }
  std::string root;
  if (!IsLocalLake(x_url, root)) return names;
  std::error_code absent;
  for (const auto& folder : fs::directory_iterator(fs::path(root) / schema, absent)) {
    if (fs::is_directory(folder.path() / "_delta_log", absent)) names.push_back(folder.path().filename().string());
  }
  return names;
}

Result<Workspace> LakeAccess::WorkspaceOf(const Project& project, Engine& engine, StateStore& state,
                                          const std::vector<ConnectorSpec>& connectors) {
  std::string root;
  if (IsLocalLake(x_url, root)) {
    return Workspace{project, *x_store, engine, state, SystemClock(), connectors, root, root + "/.staging"};
  }
  TRY(RequireAtomic(*x_s3));
  x_remote_engine = MakeRemoteLakeEngine(engine, *x_s3);
  return Workspace{project, *x_store, *x_remote_engine, state, SystemClock(), connectors, x_store->Url(), x_project_folder + "/.caudal/staging"};
}

}  // namespace caudal
