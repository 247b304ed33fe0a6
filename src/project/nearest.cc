#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "data/name.h"
#include "project/project.h"

namespace caudal {
namespace {

// Optimal string alignment: a swap of neighbours is one edit, since it is the commonest slip.
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      std::size_t change = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& names) {
  if (word.empty() || word.size() > 200) return "";
  std::string wanted = LowerName(word);
  std::size_t best = wanted.size() <= 3 ? 2 : std::max<std::size_t>(3, wanted.size() / 3 + 1);
  std::string nearest;
  for (const std::string& name : names) {
    if (name.size() > 200) continue;
    std::size_t distance = Distance(wanted, LowerName(name));
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  if (!nearest.empty()) return nearest;
  // "orders" for "silver.orders", and the other way about.
  for (const std::string& name : names) {
    std::string lower = LowerName(name);
    if (EndsWith(lower, "." + wanted) || EndsWith(wanted, "." + lower)) return name;
  }
  std::string last = wanted.substr(wanted.rfind('.') == std::string::npos ? 0 : wanted.rfind('.') + 1);
  for (const std::string& name : names) {
    if (last.size() >= 3 && wanted.find('.') != std::string::npos && EndsWith(LowerName(name), "." + last)) return name;
  }
  for (const std::string& name : names) {
    std::string lower = LowerName(name);
    if (wanted.size() >= 3 && lower.rfind(wanted, 0) == 0) return name;
    if (lower.size() >= 4 && wanted.rfind(lower, 0) == 0) return name;
  }
  return "";
}

}  // namespace caudal
