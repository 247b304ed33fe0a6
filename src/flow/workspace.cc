#include "flow/workspace.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>

#include "base/ids.h"

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

constexpr std::int64_t kPiece = std::int64_t{16} << 20;

bool InFolder(const Workspace& workspace) { return workspace.lake_root.starts_with('/'); }

Status EachPiece(const ObjectStore& store, const std::string& key, const std::function<void(std::string_view)>& take) {
  for (std::int64_t offset = 0;; offset += kPiece) {
    TRY_ASSIGN(const std::string bytes, store.GetRange(key, offset, kPiece));
    take(bytes);
    if (static_cast<std::int64_t>(bytes.size()) < kPiece) return {};
  }
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

Result<std::string> Workspace::LocalFile(const std::string& key, const std::string& folder) const {
  if (InFolder(*this)) return store.ReadLocation(key);
  const std::string path = folder + "/" + NewToken() + "-" + key.substr(key.rfind('/') + 1);
  std::ofstream out(path, std::ios::binary);
  TRY(EachPiece(store, key, [&](std::string_view bytes) { out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }));
  out.close();
  if (!out) return Error{ErrorKind::kUnavailable, "cannot write " + path, "free space on that disk", ""};
  return path;
}

Result<std::string> Workspace::DigestOf(const std::string& key) const {
  if (InFolder(*this)) {
    TRY_ASSIGN(const std::string path, store.ReadLocation(key));
    return Sha256OfFile(path);
  }
  Sha256 digest;
  TRY(EachPiece(store, key, [&](std::string_view bytes) { digest.Update(bytes); }));
  return digest.Hex();
}

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
