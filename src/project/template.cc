// dbt's templates in a model: named, with the plain SQL to write instead.
#include <regex>
#include <string>
#include <vector>

#include "data/name.h"
#include "project/model_file.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

// Short, and without nesting, since std::regex recurses over its input.
constexpr std::size_t kLongestTag = 400;

std::string PlainName(const std::string& name, const std::vector<std::string>& tables) {
  std::vector<std::string> bare;
  for (const std::string& table : tables) bare.push_back(table.substr(table.find('.') + 1));
  std::string nearest = Nearest(name, bare);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (SameName(bare[i], name)) return tables[i];
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (bare[i] == nearest) return tables[i];
  }
  return Nearest(name, tables);
}

std::string Instead(const std::string& tag, const std::vector<std::string>& tables) {
  static const std::regex kRef(R"(\{\{-?\s*ref\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"]\s*)?\)\s*-?\}\})");
  static const std::regex kSource(R"(\{\{-?\s*source\(\s*['"]([^'"]+)['"]\s*,\s*['"]([^'"]+)['"]\s*\)\s*-?\}\})");
  static const std::regex kVar(R"(\{\{-?\s*var\(\s*['"]([^'"]+)['"].*)");
  static const std::regex kConfig(R"(\{\{-?\s*config\()");
  std::smatch match;
  if (std::regex_match(tag, match, kRef)) {
    std::string name = match[2].matched ? match[2].str() : match[1].str();
    std::string plain = PlainName(name, tables);
    return plain.empty() ? "write the table's name as schema.table" : "write " + plain;
  }
  if (std::regex_match(tag, match, kSource)) {
    std::string name = LowerName(match[1].str() + "." + match[2].str());
    for (const std::string& table : tables) {
      if (table == name) return "write " + name;
    }
    std::string plain = Nearest(name, tables);
    return "write " + (plain.empty() ? name : plain);
  }
  if (std::regex_search(tag, match, kVar)) return "write $" + match[1].str() + ", a parameter of caudal.yaml";
  if (std::regex_search(tag, match, kConfig)) return "write it in the header: /* caudal: materialize: ... */";
  if (tag.find("is_incremental") != std::string::npos || tag.rfind("{%", 0) == 0) {
    return "take it out: Caudal knows which rows are new, and has no template language";
  }
  return "write plain SQL: there is no template language";
}

}  // namespace

void FindTemplates(ModelFile& model, const std::vector<std::string>& tables, const FileContext& file) {
  const std::string& sql = model.config.sql;
  std::size_t done = 0;
  for (const SqlToken& token : SqlTokens(sql)) {
    if (token.begin < done || token.text != "{" || token.kind != SqlToken::Kind::kSymbol) continue;
    char second = token.begin + 1 < sql.size() ? sql[token.begin + 1] : '\0';
    if (second != '{' && second != '%' && second != '#') continue;
    const char* close = second == '{' ? "}}" : second == '%' ? "%}" : "#}";
    std::size_t end = sql.find(close, token.begin + 2);
    done = end == std::string::npos ? sql.size() : end + 2;
    std::string tag = sql.substr(token.begin, std::min(done - token.begin, kLongestTag));
    std::string shown = tag.substr(0, tag.find('\n'));
    file.problems->Add(PlaceInSql(model.config, token.begin), "a template of dbt: " + shown, Instead(tag, tables));
    model.skip_sql = true;
  }
}

}  // namespace caudal
