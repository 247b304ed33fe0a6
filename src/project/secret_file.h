// Credentials: `${NAME}` in a project file is the environment's NAME, or an entry of the project's .caudal/secrets.env
// (NAME=value a line, readable by its owner alone). Read anew each time: a secret may change while a daemon serves.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace caudal {

class SecretFile {
 public:
  /// Errors: kPermission for a file that others can read, kInvalidArgument for a line that is none.
  static Result<SecretFile> Read(const std::string& project_folder);
  /// `who` needs it `for_what`: "source erp", "password". Errors: kNotFound, naming both.
  Result<std::string> Value(const std::string& name, const std::string& who, const std::string& for_what) const;
  /// What stands in the file, whatever the environment says; nothing for an entry that is absent or empty.
  std::optional<std::string> Entry(const std::string& name) const;

 private:
  std::map<std::string, std::string> x_entries;
};

}  // namespace caudal
