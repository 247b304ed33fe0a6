// The lake of a project, wherever its URL says that it is, and what runs need beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "flow/workspace.h"
#include "store/s3.h"

namespace caudal {

class LakeAccess {
 public:
  /// `url`: "file:///folder", created if absent, or "s3://bucket/prefix", whose keys the environment or the secrets of
  /// `project_folder` give. Errors: kUnsupported for another scheme; those of the store.
  static Result<std::unique_ptr<LakeAccess>> Open(const std::string& url, const std::string& project_folder);

  const std::string& url() const { return x_url; }
  ObjectStore& store() { return *x_store; }
  /// Names of the tables below `schema`.
  std::vector<std::string> TablesBelow(const std::string& schema) const;
  /// What a run works with; once for each lake. All that is given outlives the workspace, and so does this.
  /// Errors: kUnsupported for a store whose conditional writes are not atomic.
  Result<Workspace> WorkspaceOf(const Project& project, Engine& engine, StateStore& state, const std::vector<ConnectorSpec>& connectors);

 private:
  LakeAccess(std::string url, std::string project_folder) : x_url(std::move(url)), x_project_folder(std::move(project_folder)) {}

  const std::string x_url;
  const std::string x_project_folder;
  std::unique_ptr<ObjectStore> x_store;
  S3Store* x_s3 = nullptr;                  // x_store, where that is one
  std::unique_ptr<Engine> x_remote_engine;  // the engine behind what a lake on S3 needs
};

/// True for the URL of a folder, which is in `folder` then.
bool IsLocalLake(const std::string& url, std::string& folder);

}  // namespace caudal
