#include "project/list_file.h"

#include <algorithm>

#include "base/utf8.h"

namespace caudal {
namespace {

constexpr const char* kNames = "use small letters, digits and _, and begin with a letter";

struct CsvCell {
  std::string text;
  bool quoted = false;
  int line = 1;
  int column = 1;
};

/// Cells with their places. Used once.
class CsvReader {
 public:
  CsvReader(const std::string& text, const FileContext& file) : x_text(text), x_file(file) {}

  /// Lines without any text are left out. False after a problem.
  bool Read(std::vector<std::vector<CsvCell>>& lines) {
    if (const std::size_t bad = FindNoUtf8(x_text); bad != std::string::npos) {
      for (std::size_t i = 0; i < bad; ++i) x_line += x_text[i] == '\n' ? 1 : 0;
      return Problem(x_line, 1, "bytes that are no UTF-8", "save the file as UTF-8");
    }
    if (x_text.compare(0, 3, "\xEF\xBB\xBF") == 0) x_at = 3;
    while (x_at < x_text.size()) {
      std::vector<CsvCell> line;
      do {
        line.emplace_back();
        if (!Cell(line.back())) return false;
      } while (Take(','));
      if (line.size() > 1 || line[0].quoted || !line[0].text.empty()) lines.push_back(std::move(line));
      Take('\r');
      if (Take('\n')) {
        ++x_line;
        x_column = 1;
      } else if (x_at < x_text.size()) {
        return Problem(x_line, x_column, "text behind a closing quote", "write a quote inside quotes twice");
      }
    }
    return true;
  }

 private:
  bool Problem(int line, int column, std::string message, std::string next) const {
    x_file.problems->Add(Place{x_file.path, line, column}, std::move(message), std::move(next));
    return false;
  }

  bool Take(char c) {
    if (x_at >= x_text.size() || x_text[x_at] != c) return false;
    Step();
    return true;
  }

  // Columns count characters.
  void Step() {
    if ((static_cast<unsigned char>(x_text[x_at]) & 0xC0) != 0x80) ++x_column;
    ++x_at;
  }

  bool Cell(CsvCell& cell) {
    cell.line = x_line;
    cell.column = x_column;
    cell.quoted = Take('"');
    for (; x_at < x_text.size(); Step()) {
      const char c = x_text[x_at];
      if (cell.quoted && c == '"') {
        Step();
        if (x_at >= x_text.size() || x_text[x_at] != '"') return true;
      } else if (!cell.quoted && (c == ',' || c == '\n' || (c == '\r' && x_text.compare(x_at, 2, "\r\n") == 0))) {
        return true;
      } else if (c == '\n') {
        ++x_line;
        x_column = 0;
      }
      cell.text += c;
    }
    return !cell.quoted || Problem(cell.line, cell.column, "a quote that is not closed", "close it");
  }

  const std::string& x_text;
  const FileContext& x_file;
  std::size_t x_at = 0;
  int x_line = 1;
  int x_column = 1;
};

bool CsvHead(const std::vector<CsvCell>& head, const FileContext& file) {
  bool good = true;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const Place place{file.path, head[i].line, head[i].column};
    if (!IsIdentifier(head[i].text)) {
      file.problems->Add(place, "the column '" + head[i].text + "' is no name", kNames);
      good = false;
    }
    const bool twice = std::any_of(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const CsvCell& other) { return other.text == head[i].text; });
    if (twice) file.problems->Add(place, "the column '" + head[i].text + "' stands twice", "rename one of them");
    good = good && !twice;
  }
  return good;
}

std::vector<ListItem> ItemsOfCsv(const std::string& text, const FileContext& file, bool& good) {
  std::vector<ListItem> items;
  std::vector<std::vector<CsvCell>> lines;
  good = CsvReader(text, file).Read(lines);
  if (!good) return items;
  if (lines.size() < 2) {
    file.problems->Add(Place{file.path, 1, 1}, "the list has no item", "write a line of names, and below it one line an item");
    good = false;
    return items;
  }
  good = CsvHead(lines[0], file);
  for (std::size_t l = 1; l < lines.size(); ++l) {
    ListItem item;
    item.place = Place{file.path, lines[l][0].line, lines[l][0].column};
    if (lines[l].size() != lines[0].size()) {
      file.problems->Add(item.place, "the line has " + std::to_string(lines[l].size()) + " values, and the head names " + std::to_string(lines[0].size()),
                         "write as many, and a value with a comma in quotes");
      good = false;
      continue;
    }
    for (std::size_t c = 0; c < lines[l].size(); ++c) {
      const CsvCell& cell = lines[l][c];
      if (cell.text.empty() && !cell.quoted) continue;
      YamlNode value;
      value.kind = YamlNode::Kind::kScalar;
      value.text = cell.text;
      value.quoted = cell.quoted;
      item.values.emplace_back(lines[0][c].text, std::move(value));
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

const YamlNode* ListItem::Find(std::string_view name) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.first == name; });
  return found == values.end() ? nullptr : &found->second;
}

std::vector<ListItem> ItemsOfYaml(const YamlNode& list, const std::string& what, const FileContext& file, bool& good) {
  std::vector<ListItem> items;
  const auto bad = [&](const YamlNode& node, std::string message, std::string next) {
    file.Add(node, std::move(message), std::move(next));
    good = false;
  };
  if (!list.is_sequence()) {
    bad(list, what + " should be a list, not " + std::string(list.KindName()), "write [north, south], or [{branch: north, host: db1}]");
    return items;
  }
  if (list.items.empty()) bad(list, what + " lists nothing", "write [north, south], or [{branch: north, host: db1}]");
  for (const YamlNode& node : list.items) {
    ListItem item;
    item.place = file.At(node);
    if (node.is_scalar()) {
      item.values.emplace_back("each", node);
    } else if (!node.is_map()) {
      bad(node, "an item of a list should be a word or a map, not " + std::string(node.KindName()), "write north, or {branch: north, host: db1}");
      continue;
    }
    if (node.kind != list.items.front().kind) {
      bad(node, "the list holds words and maps", "write all of its items as words, or all as maps");
      continue;
    }
    for (const YamlMember& member : node.members) {
      if (!IsIdentifier(member.key)) {
        file.problems->Add(file.At(member), "'" + member.key + "' is no name", kNames);
        good = false;
      } else if (!member.value.is_null()) {
        item.values.emplace_back(member.key, member.value);
      }
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<ListItem> ItemsOfFile(const ProjectFile& list, ProblemList& problems, bool& good) {
  const FileContext file{list.path, &problems};
  if (list.path.ends_with(".csv")) return ItemsOfCsv(list.text, file, good);
  const YamlOutcome yaml = ReadYaml(list.text);
  for (const YamlProblem& p : yaml.problems) problems.Add(Place{list.path, p.line, p.column}, p.message, p.next);
  good = yaml.problems.empty();
  return good ? ItemsOfYaml(yaml.root, "the file", file, good) : std::vector<ListItem>{};
}

}  // namespace caudal
