#include "project/secret_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace caudal {
namespace {

constexpr const char* kFile = ".caudal/secrets.env";

bool IsName(const std::string& name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// No message here repeats what stands in the file.
Result<std::map<std::string, std::string>> ReadSecretFile(const std::string& path) {
  std::map<std::string, std::string> entries;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return entries;
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorKind::kInvalidArgument, path + " is no file", "put the secrets into a file of this name, NAME=value in each line", kFile};
  }
  if ((info.st_mode & 077) != 0) {
    return Error{ErrorKind::kPermission, path + " can be read by other users", "chmod 600 " + path, ""};
  }
  std::ifstream in(path);
  if (!in) {
    return Error{ErrorKind::kPermission, "cannot read " + path + ": " + std::strerror(errno), "give the file to the user who runs caudal", ""};
  }
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos || line[0] == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string::npos || !IsName(line.substr(0, equals))) {
      return Error{ErrorKind::kInvalidArgument, equals == std::string::npos ? "this line holds no '='" : "this line begins with no name",
                   "write NAME=value, without blanks around the name, or # before a remark",
                   std::string(kFile) + ":" + std::to_string(number) + ":1"};
    }
    entries[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return entries;
}

}  // namespace

Result<SecretFile> SecretFile::Read(const std::string& project_folder) {
  SecretFile file;
  TRY_ASSIGN(file.x_entries, ReadSecretFile(project_folder + "/" + kFile));
  return file;
}

Result<std::string> SecretFile::Value(const std::string& name, const std::string& who, const std::string& for_what) const {
  const char* exported = std::getenv(name.c_str());
  const auto entry = x_entries.find(name);
  if (exported != nullptr && *exported != '\0') return std::string(exported);
  if (entry != x_entries.end() && !entry->second.empty()) return entry->second;
  const bool empty = exported != nullptr || entry != x_entries.end();
  return Error{ErrorKind::kNotFound, who + " needs ${" + name + "} for " + for_what + ", which is " + (empty ? "empty" : "not set"),
               "export " + name + "=..., or write it into .caudal/secrets.env (mode 600)", ""};
}

std::optional<std::string> SecretFile::Entry(const std::string& name) const {
  const auto entry = x_entries.find(name);
  return entry == x_entries.end() || entry->second.empty() ? std::nullopt : std::optional(entry->second);
}

}  // namespace caudal
