#include "duckdb/sqlite_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace caudal {
namespace {

namespace fs = std::filesystem;

// Byte 18 of the header, "file format write version": 2 is WAL. https://www.sqlite.org/fileformat.html
bool InWalMode(const std::string& path) {
  char header[20] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(header, sizeof header) && header[18] == 2;
}

}  // namespace

Result<std::string> ReadableSqliteFile(const std::string& path, const std::string& scratch_folder) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return Error{ErrorKind::kNotFound, "there is no SQLite file " + path, "", ""};
  const auto open_elsewhere = [&] { return fs::exists(path + "-wal", failure) || fs::exists(path + "-shm", failure); };
  if (!InWalMode(path) || open_elsewhere() || scratch_folder.empty()) return path;

  const std::string copy = scratch_folder + "/" + fs::path(path).filename().string();
  const auto before = fs::last_write_time(path, failure);
  // Not fs::copy_file, which also sets the mode: the sandbox forbids that.
  std::ifstream in(path, std::ios::binary);
  std::ofstream out(copy, std::ios::binary);
  out << in.rdbuf();
  out.close();
  if (failure || !in || !out) {
    return Error{ErrorKind::kUnavailable, fmt::format("cannot copy the SQLite file {} to {}", path, copy), "", ""};
  }
  // A writer that came meanwhile writes to -wal first.
  if (open_elsewhere() || fs::last_write_time(path, failure) != before) {
    return Error{ErrorKind::kUnavailable, "the SQLite file changed while it was copied: " + path, "", ""};
  }
  return copy;
}

}  // namespace caudal
