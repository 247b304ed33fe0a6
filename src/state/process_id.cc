#include "state/process_id.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace caudal {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Field 22 of /proc/<pid>/stat; the command in field 2 may hold blanks and parentheses. A zombie counts as gone.
std::string StartTime(const std::string& pid) {
  std::string line = FirstLine("/proc/" + pid + "/stat");
  auto end = line.rfind(')');
  if (end == std::string::npos) return "";
  std::istringstream rest(line.substr(end + 1));
  std::string field;
  for (int i = 3; i <= 22 && rest >> field; ++i) {
    if (i == 3 && (field == "Z" || field == "X")) return "";
  }
  return field;
}

}  // namespace

std::string ThisProcess() {
  std::string pid = std::to_string(getpid());
  return pid + ":" + StartTime(pid) + ":" + FirstLine("/proc/sys/kernel/random/boot_id");
}

bool ProcessLives(const std::string& process) {
  auto first = process.find(':');
  auto second = process.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return false;
  if (process.substr(second + 1) != FirstLine("/proc/sys/kernel/random/boot_id")) return false;
  std::string start = process.substr(first + 1, second - first - 1);
  return !start.empty() && StartTime(process.substr(0, first)) == start;
}

std::string PidOf(const std::string& process) { return process.substr(0, process.find(':')); }

}  // namespace caudal
