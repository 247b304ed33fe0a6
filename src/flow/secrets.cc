#include "flow/secrets.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace caudal {
namespace {

Result<std::map<std::string, std::string>> ReadSecretFile(const std::string& path) {
  std::map<std::string, std::string> entries;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return entries;
  if ((info.st_mode & 077) != 0) {
    return Error{ErrorKind::kPermission, path + " can be read by other users", "chmod 600 " + path, ""};
  }
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    auto equals = line.find('=');
    if (equals == std::string::npos || line[0] == '#') continue;
    entries[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return entries;
}

}  // namespace

Result<std::map<std::string, std::string>> SecretsOf(const Project& project, const SourceConfig& source) {
  std::map<std::string, std::string> values;
  if (source.secrets.empty()) return values;
  std::string path = project.folder + "/.caudal/secrets.env";
  TRY_ASSIGN(auto file, ReadSecretFile(path));
  for (const auto& [option, name] : source.secrets) {
    if (const char* value = std::getenv(name.c_str())) {
      values[option] = value;
    } else if (auto it = file.find(name); it != file.end()) {
      values[option] = it->second;
    } else {
      return Error{ErrorKind::kNotFound, "source " + source.name + " needs ${" + name + "} for " + option + ", which is not set",
                   "export " + name + "=..., or write it into .caudal/secrets.env (mode 600)", source.place.ToString()};
    }
  }
  return values;
}

}  // namespace caudal
