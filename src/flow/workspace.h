// What a run works with. Made once by the app; everything in it outlives every task.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/connector_spec.h"
#include "engine/engine.h"
#include "lake/table.h"
#include "project/project.h"
#include "state/state_store.h"
#include "store/object_store.h"

namespace caudal {

/// Thread-safe: only const members and thread-safe parts.
struct Workspace {
  const Project& project;
  ObjectStore& store;
  Engine& engine;
  StateStore& state;
  const Clock& clock;
  const std::vector<ConnectorSpec>& connectors;
  std::string lake_root;     // absolute; "s3://bucket/prefix" where the lake is no folder
  std::string staging_root;  // absolute, local, on the lake's file system where the lake is a folder

  Table TableOf(const std::string& table) const;
  /// What the names of the table's files begin with in jobs: an absolute folder, or "s3://bucket/prefix/...".
  std::string RootOf(const std::string& table) const;
  JobLimits Limits() const;
  /// A file with the object's bytes: the lake's own where that is a folder, else a copy in `folder`.
  Result<std::string> LocalFile(const std::string& key, const std::string& folder) const;
  /// Hex of the SHA-256 of the object's bytes, all of them read.
  Result<std::string> DigestOf(const std::string& key) const;
};

/// "silver.orders" -> "silver/orders", its folder in the lake.
std::string PrefixOf(const std::string& table);
/// "silver.orders" -> ("silver", "orders")
std::pair<std::string, std::string> SplitTable(const std::string& table);

/// A table's newest snapshot, or null where there is none yet.
Result<std::shared_ptr<const Snapshot>> LatestOrNone(const Table& table);

/// A folder for one attempt of one task; removed with its contents when it dies, unless kept.
class Staging {
 public:
  /// Errors: kPermission, kUnavailable.
  static Result<Staging> Make(const Workspace& workspace, const std::string& name);
  ~Staging();
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  /// A folder below, created.
  Result<std::string> Folder(const std::string& name) const;
  const std::string& path() const { return x_path; }
  /// Leaves everything where it is, for inspection.
  void Keep() { x_keep = true; }

 private:
  explicit Staging(std::string path) : x_path(std::move(path)) {}
  std::string x_path;
  bool x_keep = false;
};

}  // namespace caudal
