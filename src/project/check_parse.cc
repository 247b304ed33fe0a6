#include "project/check_parse.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "data/name.h"
#include "project/check_words.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

using Argument = CheckWord::Argument;

// Words of a check's map that are not arguments.
bool IsFrame(const std::string& word) { return word == "check" || word == "severity" || word == "column"; }

std::optional<std::string> Percent(std::string text) {
  if (!text.empty() && text.back() == '%') text.pop_back();
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (!IsNumber(text) || text[0] == '-') return std::nullopt;
  return text;
}

// One check of the list while it is read: its arguments come from a value, or from the members of a map.
class CheckReader {
 public:
  CheckReader(const CheckWord& word, std::string shown, const YamlNode& node, const FileContext& file, CheckSpec spec)
      : x_word(word), x_shown(std::move(shown)), x_node(node), x_file(file), x_spec(std::move(spec)) {}

  /// Absent where something was wrong; that was noted.
  std::optional<CheckSpec> Read() {
    x_spec.name = x_word.name;
    bool good = ReadArgument() && CheckWords() && CheckLevel() && CheckSeverity();
    return good ? std::optional<CheckSpec>(std::move(x_spec)) : std::nullopt;
  }

 private:
  bool Bad(const YamlNode& node, std::string message, std::string next) {
    x_file.Add(node, x_shown + ": " + message, std::move(next));
    return false;
  }
  bool Example(const YamlNode& node, const std::string& message) {
    return Bad(node, message, std::string("write ") + x_word.example);
  }

  // The first of `words` that the map has; a value that is no map stands for all of them.
  const YamlNode* Arg(std::initializer_list<const char*> words) {
    const YamlNode* found = nullptr;
    for (const char* word : words) {
      x_known.emplace_back(word);
      const YamlNode* value = x_node.Find(word);
      if (found == nullptr && value != nullptr && !value->is_null()) found = value;
    }
    if (!x_node.is_map() && !x_node.is_null()) return &x_node;
    return found;
  }

  bool ReadArgument() {
    switch (x_word.argument) {
      case Argument::kNone: return ReadNone();
      case Argument::kValue: return ReadValue();
      case Argument::kValues: return ReadValues();
      case Argument::kPattern: return ReadPattern();
      case Argument::kRange: return ReadRange();
      case Argument::kPartner: return ReadPartner();
      case Argument::kPercent: return ReadPercent();
      case Argument::kChange: return ReadChange();
      case Argument::kAge: return ReadAge();
      case Argument::kSql: return ReadSql();
    }
    return false;
  }

  bool ReadNone() {
    if (x_spec.name != "unique") {
      bool plain = x_node.is_null() || x_node.is_map() || (x_node.is_scalar() && LowerName(x_node.text) == "true");
      return plain || Example(x_node, "takes no value");
    }
    const YamlNode* columns = Arg({"columns", "column_list"});
    if (x_node.is_scalar() && LowerName(x_node.text) == "true") columns = nullptr;
    if (columns == nullptr) return true;
    if (!x_spec.column.empty()) return Example(*columns, "takes no value below a column");
    x_spec.values = TextsOf(*columns, "unique", x_file);
    std::vector<std::string> seen;
    for (const std::string& name : x_spec.values) {
      if (std::find(seen.begin(), seen.end(), LowerName(name)) != seen.end()) {
        return Bad(*columns, "names '" + name + "' twice", "name each column once");
      }
      seen.push_back(LowerName(name));
    }
    return !x_spec.values.empty() || Example(*columns, "names no column");
  }

  bool ReadValue() {
    const YamlNode* value = Arg({"value"});
    if (value == nullptr || !value->is_scalar()) return Example(value == nullptr ? x_node : *value, "needs one value");
    if (value->text.empty()) return Example(*value, "needs one value");
    x_spec.args["value"] = value->text;
    return true;
  }

  bool ReadValues() {
    const YamlNode* values = Arg({"values", "value", "value_set"});
    if (values == nullptr || !values->is_sequence()) {
      return Example(values == nullptr ? x_node : *values, "needs a list of values");
    }
    for (const YamlNode& item : values->items) {
      if (item.is_null()) return Bad(item, "NULL passes anyway", "leave it out; not_null forbids it");
      if (!item.is_scalar()) return Example(item, "needs a list of plain values");
      x_spec.values.push_back(item.text);
    }
    return !x_spec.values.empty() || Example(*values, "the list is empty");
  }

  bool ReadPattern() {
    const YamlNode* value = Arg({"value", "pattern", "regex"});
    if (value == nullptr || !value->is_scalar() || value->text.empty()) {
      return Example(value == nullptr ? x_node : *value, "needs a regular expression");
    }
    Status good = CheckPatternText(value->text);
    if (!good) return Bad(*value, good.error().message, good.error().next);
    x_spec.args["value"] = value->text;
    return true;
  }

  bool ReadRange() {
    const YamlNode* exact = Arg({"value"});
    if (x_node.is_map()) {
      bool good = ReadBound({"min", "min_value"}, "min") && ReadBound({"max", "max_value"}, "max");
      if (!good) return false;
      if (exact != nullptr && !(SetBound(*exact, "min") && SetBound(*exact, "max"))) return false;
    } else if (exact != nullptr && !(SetBound(*exact, "min") && SetBound(*exact, "max"))) {
      return false;
    }
    if (x_spec.args.empty()) return Example(x_node, "needs min, max or both");
    auto least = x_spec.args.find("min"), most = x_spec.args.find("max");
    if (least != x_spec.args.end() && most != x_spec.args.end() &&
        std::strtoll(least->second.c_str(), nullptr, 10) > std::strtoll(most->second.c_str(), nullptr, 10)) {
      return Bad(x_node, "min " + least->second + " is above max " + most->second, "swap them");
    }
    return true;
  }
  bool ReadBound(std::initializer_list<const char*> words, const char* key) {
    const YamlNode* value = Arg(words);
    return value == nullptr || SetBound(*value, key);
  }
  bool SetBound(const YamlNode& value, const char* key) {
    if (!value.is_scalar() || !IsInteger(value.text) || value.text[0] == '-' || value.text.size() > 18) {
      return Example(value, std::string(key) + " should be a whole number from 0");
    }
    x_spec.args[key] = value.text;
    return true;
  }

  bool ReadPartner() {
    if (!x_node.is_map()) return Example(x_node, "needs 'to' and 'field'");
    const YamlNode* to = Arg({"to"});
    const YamlNode* field = Arg({"field"});
    if (to == nullptr || field == nullptr || !to->is_scalar() || !field->is_scalar()) {
      return Example(x_node, "needs 'to' and 'field'");
    }
    if (std::count(to->text.begin(), to->text.end(), '.') != 1) {
      return Example(*to, "'to' should be a table as schema.table, not '" + to->text + "'");
    }
    x_spec.args["to"] = LowerName(to->text);
    x_spec.args["field"] = field->text;
    return true;
  }

  bool ReadPercent() {
    const YamlNode* most = Arg({"max", "value"});
    std::optional<std::string> percent = most != nullptr && most->is_scalar() ? Percent(most->text) : std::nullopt;
    if (!percent || std::strtod(percent->c_str(), nullptr) > 100) {
      return Example(most == nullptr ? x_node : *most, "needs a percentage from 0 to 100");
    }
    x_spec.args["max"] = *percent;
    return true;
  }

  bool ReadChange() {
    if (!x_node.is_map()) return Example(x_node, "needs warn, fail or both");
    for (const char* key : {"warn", "fail"}) {
      const YamlNode* value = Arg({key});
      if (value == nullptr) continue;
      std::optional<std::string> percent = value->is_scalar() ? Percent(value->text) : std::nullopt;
      if (!percent) return Example(*value, std::string(key) + " should be a percentage");
      x_spec.args[key] = *percent;
    }
    if (x_spec.args.empty()) return Example(x_node, "needs warn, fail or both");
    if (x_spec.args.size() == 2 &&
        std::strtod(x_spec.args["warn"].c_str(), nullptr) > std::strtod(x_spec.args["fail"].c_str(), nullptr)) {
      return Bad(x_node, "warn " + x_spec.args["warn"] + "% is above fail " + x_spec.args["fail"] + "%", "swap them");
    }
    return true;
  }

  bool ReadAge() {
    const YamlNode* most = Arg({"max", "value"});
    if (most == nullptr || !most->is_scalar()) return Example(most == nullptr ? x_node : *most, "needs an age");
    Result<std::chrono::milliseconds> age = ParseDuration(most->text);
    if (!age) return Bad(*most, age.error().message, age.error().next);
    x_spec.args["max"] = most->text;
    if (x_spec.column.empty()) return Example(x_node, "needs a column");
    x_spec.args["column"] = x_spec.column;
    return true;
  }

  bool ReadSql() {
    bool statement = x_spec.name == "sql";
    const YamlNode* text = statement ? Arg({"sql", "value", "unexpected_rows_query"}) : Arg({"expression", "value"});
    if (text == nullptr || !text->is_scalar() || text->text.find_first_not_of(" \n\t\r") == std::string::npos) {
      return Example(text == nullptr ? x_node : *text, statement ? "needs a SELECT" : "needs a condition");
    }
    if (!statement) {
      Status good = CheckExpressionText(text->text);
      if (!good) return Bad(*text, good.error().message, good.error().next);
    }
    x_spec.args[statement ? "sql" : "expression"] = text->text;
    return true;
  }

  // Great Expectations' knobs that would change the meaning are refused, not dropped.
  bool CheckWords() {
    if (!x_node.is_map()) return true;
    bool good = true;
    for (const YamlMember& member : x_node.members) {
      if (IsFrame(member.key) || member.key == "meta" || member.key == "notes") continue;
      if (std::find(x_known.begin(), x_known.end(), member.key) != x_known.end()) continue;
      std::string next = member.key == "mostly" ? "write null_percent, or severity: reject, or an sql check"
                                                : DidYouMean(member.key, x_known);
      x_file.problems->Add(x_file.At(member), x_shown + ": unknown word '" + member.key + "'", next);
      good = false;
    }
    return good;
  }

  bool CheckLevel() {
    if (x_spec.column.empty() && x_spec.name == "unique" && x_spec.values.empty()) {
      return Example(x_node, "names no column");
    }
    if (x_spec.column.empty() && !x_word.of_table) {
      return Bad(x_node, "looks at a column", "write it below columns: <name>: checks");
    }
    if (!x_spec.column.empty() && !x_word.of_column) {
      return Bad(x_node, "looks at the whole table", "write it in the list 'checks' of the table");
    }
    return true;
  }

  bool CheckSeverity() {
    if (x_spec.severity == Severity::kReject && !x_word.of_row) {
      return Bad(x_node, "cannot reject rows, since it looks at more than one row",
                 "severity reject is for " + RowCheckNames());
    }
    return true;
  }

  const CheckWord& x_word;
  std::string x_shown;
  const YamlNode& x_node;
  const FileContext& x_file;
  CheckSpec x_spec;
  std::vector<std::string> x_known;
};

class ListReader {
 public:
  ListReader(std::string column, const FileContext& file, std::vector<CheckSpec>& checks)
      : x_column(std::move(column)), x_file(file), x_checks(checks) {}

  void Item(const YamlNode& item) {
    if (item.is_scalar()) {
      YamlNode none;
      none.line = item.line;
      none.column = item.column;
      Check(item.text, item, none, Severity::kFail, false, x_column);
    } else if (item.is_map()) {
      FromMap(item);
    } else {
      x_file.Add(item, "a check should be a word or a map, not " + std::string(item.KindName()),
                 "write [not_null, {min: 0}]");
    }
  }

 private:
  std::optional<Severity> SeverityOf(const YamlNode& map, bool& stated) {
    const YamlNode* node = map.Find("severity");
    stated = node != nullptr;
    if (node == nullptr || node->is_null()) return Severity::kFail;
    if (node->is_scalar()) {
      if (node->text == "warn") return Severity::kWarn;
      if (node->text == "fail") return Severity::kFail;
      if (node->text == "reject") return Severity::kReject;
    }
    x_file.Add(*node, "unknown severity '" + node->text + "'", DidYouMean(node->text, {"warn", "fail", "reject"}));
    return std::nullopt;
  }

  void FromMap(const YamlNode& map) {
    bool stated = false;
    std::optional<Severity> severity = SeverityOf(map, stated);
    const YamlNode* column = map.Find("column");
    std::string of = x_column;
    if (of.empty() && column != nullptr && column->is_scalar()) of = column->text;
    if (const YamlNode* name = map.Find("check")) {
      if (!name->is_scalar()) return x_file.Add(*name, "'check' should name a check", DidYouMean("", CheckNames()));
      if (severity) Check(name->text, *name, map, *severity, stated, of);
      return;
    }
    bool any = false;
    for (const YamlMember& member : map.members) {
      if (IsFrame(member.key)) continue;
      any = true;
      YamlNode at = member.value;
      at.line = member.line;
      at.column = member.column;
      std::string below = of;
      const YamlNode* inner = member.value.Find("column");
      if (below.empty() && inner != nullptr && inner->is_scalar()) below = inner->text;
      if (severity) Check(member.key, at, member.value.is_null() ? at : member.value, *severity, stated, below);
    }
    if (!any) x_file.Add(map, "a check without a name", "write [not_null, {min: 0}]");
  }

  void Check(const std::string& name, const YamlNode& at, const YamlNode& argument, Severity severity, bool stated,
             const std::string& column) {
    std::string_view alias = MeaningOfAlias(name);
    if (alias == "between") return Between(name, at, argument, severity, column);
    const CheckWord* word = FindCheckWord(alias.empty() ? std::string_view(name) : alias);
    if (word == nullptr) {
      std::vector<std::string> names = CheckNames();
      if (name.rfind("expect_", 0) == 0) names = AliasNames();
      x_file.Add(at, "unknown check '" + name + "'", DidYouMean(name, names));
      return;
    }
    CheckSpec spec;
    spec.column = column;
    spec.severity = severity;
    spec.place = x_file.At(at);
    if (word->argument == Argument::kChange && stated) {
      x_file.Add(at, name + ": has warn and fail of its own", "leave 'severity' out");
      return;
    }
    Keep(CheckReader(*word, name, argument, x_file, std::move(spec)).Read(), at);
  }

  void Between(const std::string& name, const YamlNode& at, const YamlNode& map, Severity severity,
               const std::string& column) {
    bool any = false;
    for (auto [theirs, ours] : {std::pair{"min_value", "min"}, std::pair{"max_value", "max"}}) {
      const YamlNode* value = map.Find(theirs);
      if (value == nullptr || value->is_null()) continue;
      any = true;
      CheckSpec spec;
      spec.column = column;
      spec.severity = severity;
      spec.place = x_file.At(at);
      Keep(CheckReader(*FindCheckWord(ours), name, *value, x_file, std::move(spec)).Read(), at);
    }
    for (const YamlMember& member : map.members) {
      if (member.key == "min_value" || member.key == "max_value" || IsFrame(member.key)) continue;
      x_file.problems->Add(x_file.At(member), name + ": unknown word '" + member.key + "'",
                           DidYouMean(member.key, {"min_value", "max_value"}));
      any = true;
    }
    if (!any) x_file.Add(at, name + ": needs min_value, max_value or both", "write {min: 0} and {max: 100}");
  }

  void Keep(std::optional<CheckSpec> spec, const YamlNode& at) {
    if (!spec) return;
    std::string id = spec->Id();
    for (const CheckSpec& other : x_checks) {
      if (other.Id() != id) continue;
      x_file.Add(at, "the check " + id + " is written twice (first in line " + std::to_string(other.place.line) + ")",
                 "keep one of them");
      return;
    }
    x_checks.push_back(*std::move(spec));
  }

  std::string x_column;
  const FileContext& x_file;
  std::vector<CheckSpec>& x_checks;
};

}  // namespace

void ParseChecks(const YamlNode& node, const std::string& column, const FileContext& file,
                 std::vector<CheckSpec>& checks) {
  if (node.is_null()) return;
  if (!node.is_sequence()) {
    file.Add(node, "'checks' should be a list, not " + std::string(node.KindName()), "write [not_null, {min: 0}]");
    return;
  }
  ListReader reader(column, file, checks);
  for (const YamlNode& item : node.items) reader.Item(item);
}

}  // namespace caudal
