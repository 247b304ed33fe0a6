#include "app/new_file.h"

#include <fcntl.h>

#include <cerrno>

#include "store/posix_file.h"

namespace caudal {

Status WriteNewFile(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return PosixError(error.value(), "create", path.parent_path().string());
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) return PosixError(errno, "create", path.string());
  return WriteAll(file.get(), text, path.string());
}

}  // namespace caudal
