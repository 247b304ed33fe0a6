#include "flow/secrets.h"

#include "project/secret_file.h"

namespace caudal {

Result<std::map<std::string, std::string>> SecretsOf(const Project& project, const SourceConfig& source) {
  std::map<std::string, std::string> values;
  if (source.secrets.empty()) return values;
  TRY_ASSIGN(const SecretFile file, SecretFile::Read(project.folder));
  for (const auto& [option, name] : source.secrets) {
    auto value = file.Value(name, "source " + source.name, option);
    if (!value) {
      Error error = std::move(value).error();
      error.where = source.place.ToString();
      return error;
    }
    values[option] = *std::move(value);
  }
  return values;
}

}  // namespace caudal
