#include "project/check_spec.h"

#include <string_view>

#include "base/ids.h"

namespace caudal {
namespace {

constexpr std::size_t kLongestText = 60;

std::string Joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

// SQL may fill pages: its beginning and a digest name it.
std::string Short(const std::string& text) {
  std::string line;
  for (char c : text) {
    bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() <= kLongestText) return line;
  std::size_t cut = kLongestText - 20;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
  return line.substr(0, cut) + "... " + Sha256Hex(line).substr(0, 8);
}

}  // namespace

std::string Place::ToString() const {
  if (line <= 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string CheckSpec::Id() const {
  auto arg = [&](const char* key) {
    auto it = args.find(key);
    return it == args.end() ? std::string() : it->second;
  };
  std::string inside;
  if (name == "accepted_values" || (name == "unique" && column.empty())) {
    inside = Joined(values);
  } else if (name == "pattern" || name == "min" || name == "max") {
    inside = arg("value");
  } else if (name == "length" || name == "row_count") {
    inside = arg("min") + ".." + arg("max");
  } else if (name == "relationships") {
    inside = arg("to") + "." + arg("field");
  } else if (name == "null_percent") {
    inside = arg("max") + "%";
  } else if (name == "freshness") {
    inside = (column.empty() ? arg("column") + ", " : "") + arg("max");
  } else if (name == "row_count_change") {
    if (!arg("warn").empty()) inside = "warn " + arg("warn") + "%";
    if (!arg("fail").empty()) inside += (inside.empty() ? "" : ", ") + ("fail " + arg("fail")) + "%";
  } else if (name == "expression") {
    inside = Short(arg("expression"));
  } else if (name == "sql") {
    inside = Short(arg("sql"));
  }
  return (column.empty() ? "" : column + ".") + name + (inside.empty() ? "" : "(" + inside + ")");
}

}  // namespace caudal
