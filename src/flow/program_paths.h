// What a program of a source must read and execute to run, found out from the program itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace caudal {

/// The program; of a script its interpreter, with the Python environment that either belongs to. Reads the first lines of
/// the file. Errors: kNotFound, kPermission, at `where`.
Result<std::vector<std::string>> ProgramPaths(const std::string& program, const std::string& where);

}  // namespace caudal
