#include "flow/program_paths.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace caudal {
namespace {

namespace fs = std::filesystem;

/// "/venv/bin/python" of "#!/venv/bin/python -s", also where the path was too long for the kernel and stands in the next line
/// as a shell sees it: '''exec' "/venv/bin/python" "$0" "$@".
std::string InterpreterOf(const std::string& program) {
  std::ifstream file(program);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  if (!first.starts_with("#!")) return "";
  constexpr std::string_view kExec = "'''exec' ";
  std::string words = second.starts_with(kExec) ? second.substr(kExec.size()) : first.substr(2);
  words.erase(0, words.find_first_not_of(' '));
  if (words.starts_with('"')) return words.substr(1, words.find('"', 1) - 1);
  return words.substr(0, words.find_first_of(" \r\t"));
}

/// The folder that holds bin/, of something in it.
void AddPrefix(const fs::path& path, std::vector<std::string>& paths) {
  const fs::path bin = path.parent_path();
  const fs::path prefix = bin.parent_path();
  if (bin.filename() == "bin" && prefix != prefix.root_path() && prefix != "/usr") paths.push_back(prefix.string());
}

}  // namespace

Result<std::vector<std::string>> ProgramPaths(const std::string& program, const std::string& where) {
  std::error_code failure;
  if (!fs::is_regular_file(program, failure)) {
    return Error{ErrorKind::kNotFound, "there is no program " + program,
                 "install it, in an environment of its own as a rule (`python3 -m venv taps && taps/bin/pip install ...`), and write its path in `command:`", where};
  }
  if (::access(program.c_str(), X_OK) != 0) {
    return Error{ErrorKind::kPermission, "this user may not execute " + program, "chmod +x it", where};
  }
  std::vector<std::string> paths = {program};
  if (fs::exists(fs::path(program).parent_path().parent_path() / "pyvenv.cfg", failure)) AddPrefix(program, paths);
  const std::string interpreter = InterpreterOf(program);
  if (interpreter.empty()) return paths;
  paths.push_back(interpreter);
  AddPrefix(interpreter, paths);
  const fs::path real = fs::canonical(interpreter, failure);
  if (!failure) AddPrefix(real, paths);
  return paths;
}

}  // namespace caudal
