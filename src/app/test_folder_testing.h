// A folder for one test, gone after it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace caudal {

class TestFolder {
 public:
  TestFolder() : x_path(Parent() + "/caudal_XXXXXX") {
    if (::mkdtemp(x_path.data()) == nullptr) std::abort();
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return x_path; }

 private:
  /// In memory, where there is room and nobody asks for another place.
  static std::string Parent() {
    std::error_code failure;
    const auto space = std::filesystem::space("/dev/shm", failure);
    const bool in_memory = !failure && space.available > (std::uintmax_t{256} << 20) && std::getenv("TEST_TMPDIR") == nullptr;
    return in_memory ? "/dev/shm" : ::testing::TempDir();
  }

  std::string x_path;
};

}  // namespace caudal
