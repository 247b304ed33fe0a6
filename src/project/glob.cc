#include "project/glob.h"

#include <cstddef>

namespace caudal {

bool NameMatches(std::string_view name, std::string_view glob) {
  std::size_t t = 0, g = 0, star = std::string_view::npos, mark = 0;
  while (t < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[t])) {
      ++t;
      ++g;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace caudal
