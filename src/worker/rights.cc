#include "worker/rights.h"

#include <string_view>

namespace caudal {
namespace {

void AddDatabase(Rights& rights, const std::string& location) {
  // SQLite's journals lie beside the file.
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) rights.read_paths.push_back(location + suffix);
}

void Add(Rights& rights, const ComputeJob& job, const std::string& extensions) {
  for (const TableInput& input : job.inputs) {
    for (const std::string& file : input.files) {
      if (!job.remote.urls.contains(file)) rights.read_paths.push_back(file);
    }
  }
  if (!job.remote.urls.empty()) {
    rights.network = true;
    rights.tcp_port = job.remote.tcp_port;
    rights.read_paths.push_back(extensions);
    if (!job.remote.ca_file.empty()) rights.read_paths.push_back(job.remote.ca_file);
  }
  rights.read_paths.insert(rights.read_paths.end(), job.read_paths.begin(), job.read_paths.end());
  for (const AttachedDatabase& database : job.databases) AddDatabase(rights, database.location);
  if (!job.databases.empty()) rights.read_paths.push_back(extensions);
  if (!job.output_folder.empty()) rights.write_folders.push_back(job.output_folder);
}

void Add(Rights& rights, const ExtractJob& job, const std::string& extensions) {
  for (const std::string& path : job.read_paths) AddDatabase(rights, path);
  rights.read_paths.push_back(extensions);
  if (!job.staging_folder.empty()) rights.write_folders.push_back(job.staging_folder);
  rights.write_folders.insert(rights.write_folders.end(), job.write_folders.begin(), job.write_folders.end());
  rights.network = job.network;
  rights.tcp_port = job.tcp_port;
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? path : path.substr(0, slash);
}

}  // namespace

Result<std::string> LocalRoot(const std::string& store_url) {
  constexpr std::string_view kScheme = "file://";
  if (store_url.starts_with(kScheme)) return store_url.substr(kScheme.size());
  return Error{ErrorKind::kUnsupported, "this build moves files into local folders only, not to " + store_url,
               "use a file:// URL", ""};
}

Result<Rights> RightsOf(const WorkOrder& order, const std::string& extensions) {
  Rights rights;
  rights.memory_bytes = order.limits.memory_bytes;
  if (!order.temp_folder.empty()) rights.write_folders.push_back(order.temp_folder);
  if (const auto* compute = std::get_if<ComputeJob>(&order.job)) {
    Add(rights, *compute, extensions);
  } else if (const auto* extract = std::get_if<ExtractJob>(&order.job)) {
    Add(rights, *extract, extensions);
  } else if (const auto* move = std::get_if<MoveJob>(&order.job)) {
    TRY_ASSIGN(std::string root, LocalRoot(move->store_url));
    rights.write_folders.push_back(std::move(root));
    // A hard link into the store needs the same rights on both sides.
    for (const MoveJob::Item& item : move->items) {
      std::string folder = FolderOf(item.local_path);
      if (rights.write_folders.back() != folder) rights.write_folders.push_back(std::move(folder));
    }
  }
  return rights;
}

Rights RightsOfProgram(const ExtractJob& job, const WorkOrder& order) {
  Rights rights;
  rights.memory_bytes = order.limits.memory_bytes;
  rights.network = true;
  rights.read_paths = {"/etc", "/proc", "/sys/devices/system/cpu", "/dev/urandom", "/dev/random", "/dev/zero"};
  rights.read_paths.insert(rights.read_paths.end(), job.program_reads.begin(), job.program_reads.end());
  rights.execute_paths = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"};
  rights.execute_paths.insert(rights.execute_paths.end(), job.program_paths.begin(), job.program_paths.end());
  rights.write_folders = {"/dev/null", order.temp_folder};
  return rights;
}

}  // namespace caudal
