// Credentials: `${NAME}` in a project file is the environment's NAME, or an entry of the project's .caudal/secrets.env
// (NAME=value a line, readable by its owner alone). Values go to an extract worker's job and nowhere else.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "project/project.h"

namespace caudal {

/// The entries of `<project_folder>/.caudal/secrets.env`; none where there is no such file. Errors: kPermission,
/// kInvalidArgument with the line; no message repeats what stands in the file.
Result<std::map<std::string, std::string>> SecretsOfFile(const std::string& project_folder);

/// Option path -> value of every secret that the source names. Errors: kNotFound naming variable and source,
/// kPermission for a file that others can read.
Result<std::map<std::string, std::string>> SecretsOf(const Project& project, const SourceConfig& source);

}  // namespace caudal
