// The wiring of one command: project folder -> store of the lake -> workers -> analyzer -> project -> state -> workspace, each
// made when a verb first asks for it. Not thread-safe; parts die in the opposite order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/console.h"
#include "app/lake_access.h"
#include "app/late_pool.h"
#include "flow/workspace.h"
#include "project/project.h"
#include "store/s3.h"

namespace caudal {

/// What every verb takes.
struct GlobalOptions {
  std::string project;  // "" = the folder with caudal.yaml at or above the working folder
  OutputFormat output = OutputFormat::kText;
  bool color = true;
  bool sandbox = true;
  bool verbose = false;
};

class Session {
 public:
  /// Finds the project and makes its .caudal folder where that can be written. Errors: kNotFound.
  static Result<std::unique_ptr<Session>> Open(const GlobalOptions& options);

  const std::string& folder() const { return x_folder; }

  /// Starts workers beside what comes next, for verbs that need some in any case.
  void WarmWorkers() { x_pool->Warm(); }
  Engine& engine() { return *x_engine; }

  /// Reads the whole project, each mistake a Problem. Changes nothing in the lake.
  LoadOutcome Load();
  /// The project without mistakes. Errors: kInvalidArgument at the first one, with the number of the others.
  Result<const Project*> LoadedProject();
  /// The same, read anew; who asked before keeps what it got. For a daemon, which never asks LoadedProject or OpenWorkspace.
  Result<std::shared_ptr<const Project>> Reload();
  const std::vector<ConnectorSpec>& connectors() const { return x_connectors; }
  Result<StateStore*> State();
  /// All of the above. Errors: those, and of the lake's folder.
  Result<const Workspace*> OpenWorkspace();
  /// The same with the project read anew, once its sources were asked. What OpenWorkspace gave before is gone.
  Result<const Workspace*> RenewWorkspace();

 private:
  Session(const GlobalOptions& options, std::string folder);
  std::map<std::string, Schema> PublishedSchemas();
  Result<LakeAccess*> LakeOf(const std::string& url);

  const std::string x_folder;
  const std::string x_temp_folder;
  std::unique_ptr<LatePool> x_pool;
  std::unique_ptr<Engine> x_engine;  // the pool behind the analysis cache
  std::vector<ConnectorSpec> x_connectors;
  std::shared_ptr<const Project> x_project;  // shared with nobody: LoadProject gives it so
  std::unique_ptr<LakeAccess> x_lake;
  std::unique_ptr<StateStore> x_state;
  std::optional<Workspace> x_workspace;
};

/// Table of the project by name. Errors: kNotFound with the nearest name.
Result<const Node*> FindTable(const Project& project, const std::string& table);

}  // namespace caudal
