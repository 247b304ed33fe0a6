#include "flow/workspace.h"

#include <filesystem>
#include <utility>

namespace caudal {
namespace {

Result<std::string> CreateFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return path;
  bool full = error == std::errc::no_space_on_device;
  return Error{full ? ErrorKind::kUnavailable : ErrorKind::kPermission,
               "cannot create the staging folder " + path + ": " + error.message(),
               full ? "free space on that disk" : "make the lake's folder writable for this user", ""};
}

}  // namespace

std::string PrefixOf(const std::string& table) {
  std::string prefix = table;
  if (auto dot = prefix.find('.'); dot != std::string::npos) prefix[dot] = '/';
  return prefix;
}

std::pair<std::string, std::string> SplitTable(const std::string& table) {
  auto dot = table.find('.');
  return {table.substr(0, dot), table.substr(dot + 1)};
}

Table Workspace::TableOf(const std::string& table) const {
  const Node* node = project.Find(table);
  return Table(store, PrefixOf(table), clock, node != nullptr ? node->formats : TableFormats{});
}

std::string Workspace::RootOf(const std::string& table) const { return lake_root + "/" + PrefixOf(table); }

JobLimits Workspace::Limits() const {
  JobLimits limits;
  limits.memory_bytes = project.worker_memory_bytes;
  limits.spill_bytes = project.worker_spill_bytes;
  return limits;
}

Result<std::shared_ptr<const Snapshot>> LatestOrNone(const Table& table) {
  auto latest = table.Latest();
  if (!latest && latest.error().kind == ErrorKind::kNotFound) return std::shared_ptr<const Snapshot>();
  return latest;
}

Result<Staging> Staging::Make(const Workspace& workspace, const std::string& name) {
  TRY_ASSIGN(std::string path, CreateFolder(workspace.staging_root + "/" + name));
  return Staging(std::move(path));
}

Staging::~Staging() {
  if (x_path.empty() || x_keep) return;
  std::error_code ignored;  // what stays is removed with the next run's sweep
  std::filesystem::remove_all(x_path, ignored);
}

Staging::Staging(Staging&& other) noexcept : x_path(std::exchange(other.x_path, "")), x_keep(other.x_keep) {}

Result<std::string> Staging::Folder(const std::string& name) const { return CreateFolder(x_path + "/" + name); }

}  // namespace caudal
