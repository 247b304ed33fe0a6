#include "project/test_file.h"

#include <utility>

#include "data/name.h"

namespace caudal {
namespace {

using TestRow = std::map<std::string, Cell>;

// A nested value as the engine casts it from text: [1, 2] and {'a': 1}.
std::string NestedText(const YamlNode& node) {
  if (node.is_null()) return "NULL";
  if (node.is_scalar()) {
    bool plain = !node.quoted && (IsNumber(node.text) || node.text == "true" || node.text == "false");
    if (plain) return node.text;
    std::string quoted = "'";
    for (char c : node.text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return quoted + "'";
  }
  std::string text;
  for (const YamlNode& item : node.items) text += (text.empty() ? "" : ", ") + NestedText(item);
  for (const YamlMember& member : node.members) {
    text += (text.empty() ? "" : ", ") + ("'" + member.key + "': ") + NestedText(member.value);
  }
  return node.is_sequence() ? "[" + text + "]" : "{" + text + "}";
}

Cell CellOf(const YamlNode& node) {
  if (node.is_null()) return std::nullopt;
  return node.is_scalar() ? node.text : NestedText(node);
}

class TestReader {
 public:
  TestReader(const FileContext& file, TestFile& result) : x_file(file), x_result(result) {}

  void Read(const YamlNode& node) {
    MapReader reader(node, "a test", x_file);
    x_result.test.place = x_file.At(node);
    if (!node.is_map()) return;
    x_result.test.name = reader.Text("name", x_result.test.name);
    reader.Text("description", "");
    const YamlNode* model = reader.Take("model");
    if (model == nullptr) {
      x_file.Add(node, "a test needs 'model'", "write model: gold.daily_sales");
    } else {
      x_result.test.model = LowerName(TextOf(*model, "model", x_file).value_or(""));
      x_result.model_place = x_file.At(*model);
    }
    if (const YamlNode* given = reader.Take("given")) Given(*given);
    const YamlNode* expect = reader.Take("expect");
    if (expect == nullptr) {
      x_file.Add(node, "a test needs 'expect', the rows of the result", "write expect: [] for none");
    } else {
      x_result.test.expect = RowsOf(*expect, "expect", "");
    }
    if (const YamlNode* parameters = reader.Take("parameters")) Parameters(*parameters);
    reader.Finish();
  }

 private:
  void Given(const YamlNode& node) {
    if (!node.is_map()) {
      return x_file.Add(node, "'given' should be a map of tables, not " + std::string(node.KindName()),
                        "write given: {silver.orders: [{id: 1}]}");
    }
    for (const YamlMember& member : node.members) {
      std::string table = LowerName(member.key);
      x_result.given_places[table] = x_file.At(member);
      x_result.test.given[table] = RowsOf(member.value, member.key, table);
    }
  }

  std::vector<TestRow> RowsOf(const YamlNode& node, const std::string& what, const std::string& table) {
    std::vector<TestRow> rows;
    if (node.is_null()) return rows;
    if (!node.is_sequence()) {
      x_file.Add(node, "'" + what + "' should be a list of rows, not " + std::string(node.KindName()),
                 "write [{id: 1}, {id: 2}]");
      return rows;
    }
    for (const YamlNode& item : node.items) {
      if (!item.is_map()) {
        x_file.Add(item, "a row of '" + what + "' should be a map of columns, not " + std::string(item.KindName()),
                   "write {id: 1}");
        continue;
      }
      TestRow row;
      for (const YamlMember& member : item.members) {
        row[LowerName(member.key)] = CellOf(member.value);
        x_result.column_places.emplace(std::pair(table, LowerName(member.key)), x_file.At(member));
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void Parameters(const YamlNode& node) {
    if (!node.is_map()) {
      return x_file.Add(node, "'parameters' should be a map, not " + std::string(node.KindName()), "write {region: north}");
    }
    for (const YamlMember& member : node.members) {
      if (auto text = TextOf(member.value, member.key, x_file)) x_result.test.parameters[member.key] = *text;
    }
  }

  const FileContext& x_file;
  TestFile& x_result;
};

}  // namespace

std::vector<TestFile> ParseTestFile(const YamlNode& root, const std::string& name, const FileContext& file) {
  std::vector<TestFile> tests;
  auto add = [&](const YamlNode& node, std::string test_name) {
    TestFile test;
    test.test.name = std::move(test_name);
    TestReader(file, test).Read(node);
    tests.push_back(std::move(test));
  };
  if (root.is_sequence()) {
    for (std::size_t i = 0; i < root.items.size(); ++i) add(root.items[i], name + "[" + std::to_string(i + 1) + "]");
  } else {
    add(root, name);
  }
  return tests;
}

}  // namespace caudal
