#include "store/object_key.h"

#include <string>

namespace caudal {

Status CheckKey(std::string_view key) {
  auto refuse = [&](std::string_view why) {
    return Error{ErrorKind::kInvalidArgument, "not a key of an object: '" + std::string(key) + "': " + std::string(why),
                 "", ""};
  };
  if (key.find('\0') != std::string_view::npos) return refuse("it holds a NUL");
  std::string_view rest = key;
  for (;;) {
    auto slash = rest.find('/');
    auto segment = rest.substr(0, slash);
    if (segment.empty()) return refuse("a part between slashes is empty");
    if (segment == "." || segment == "..") return refuse("'.' and '..' lead elsewhere");
    if (segment.starts_with(kTempPrefix)) return refuse("such names are those of unfinished objects");
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace caudal
