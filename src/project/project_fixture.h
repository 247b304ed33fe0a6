// For the tests of this room alone: a project folder in a temp folder, and a fake of the engine's parser.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "data/name.h"
#include "project/project.h"
#include "project/sql_text.h"

namespace caudal {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

inline Type TypeNamed(const std::string& sql) { return *ParseType(sql); }

// Answers as the engine's parser would, from comments in the SQL: "--gives a BIGINT, b DATE" are the columns, and
// "--problem kind@position message" is what it complains about. Tables stand behind FROM and JOIN.
class FakeAnalyzer final : public SqlAnalyzer {
 public:
  Result<std::vector<Analysis>> Analyze(const std::vector<CatalogTable>& tables,
                                        const std::vector<AnalyzeQuery>& queries) override {
    ++calls;
    if (fails) return Error{ErrorKind::kUnavailable, "no worker", "try again", ""};
    std::set<std::string> known;
    for (const CatalogTable& table : tables) known.insert(table.schema + "." + table.name);
    std::vector<Analysis> answers;
    for (const AnalyzeQuery& query : queries) answers.push_back(One(query));
    for (bool more = true; more;) {
      more = false;
      for (const Analysis& a : answers) {
        bool binds = !a.problem && std::all_of(a.tables.begin(), a.tables.end(),
                                               [&](const std::string& t) { return known.count(LowerName(t)) != 0; });
        if (binds && known.insert(a.name).second) more = true;
      }
    }
    for (Analysis& a : answers) {
      if (known.count(a.name) != 0 || a.problem) continue;
      a.problem = SqlProblem{"catalog", "Table does not exist!\nLINE 1", 7, {}};
      a.columns.clear();
    }
    return answers;
  }

  int calls = 0;
  bool fails = false;

 private:
  static Analysis One(const AnalyzeQuery& query) {
    Analysis a;
    a.name = query.name;
    std::vector<SqlToken> tokens = SqlTokens(query.sql);
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      std::string word = LowerName(tokens[i].text);
      if (word != "from" && word != "join") continue;
      if (tokens[i + 1].text == "(") continue;
      std::string table = tokens[i + 1].text;
      if (i + 3 < tokens.size() && tokens[i + 2].text == ".") table += "." + tokens[i + 3].text;
      if (std::find(a.tables.begin(), a.tables.end(), table) == a.tables.end()) a.tables.push_back(table);
    }
    for (const SqlToken& token : tokens) {
      if (token.kind != SqlToken::Kind::kComment) continue;
      if (token.text.rfind("--gives ", 0) == 0) Gives(token.text.substr(8), a);
      if (token.text.rfind("--problem ", 0) == 0) Problem(token.text.substr(10), a);
    }
    bool history = query.sql.find("AS is_current") != std::string::npos;
    if (history) Gives("valid_from TIMESTAMPTZ, valid_to TIMESTAMPTZ, is_current BOOLEAN", a);
    if (a.columns.empty()) Gives("good BOOLEAN", a);
    if (query.sql.find("no_such") != std::string::npos) {
      a.problem = SqlProblem{"binder", "Referenced column \"no_such\" not found!", 9, {"nosuch"}};
    }
    return a;
  }
  static void Gives(const std::string& text, Analysis& a) {
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
      part.erase(0, part.find_first_not_of(' '));
      std::size_t blank = part.find(' ');
      OutputColumn column;
      Result<Type> type = ParseType(blank == std::string::npos ? "" : part.substr(blank + 1));
      if (!type) continue;
      column.field = Field{part.substr(0, blank), *type, 0};
      a.columns.push_back(std::move(column));
    }
  }
  static void Problem(const std::string& text, Analysis& a) {
    std::size_t at = text.find('@'), blank = text.find(' ');
    a.problem = SqlProblem{text.substr(0, at), text.substr(blank + 1), std::stoll(text.substr(at + 1)), {}};
  }
};

inline std::vector<ConnectorSpec> Specs() {
  auto option = [](const char* name, OptionType type) {
    OptionSpec spec;
    spec.name = name;
    spec.type = type;
    return spec;
  };
  ConnectorSpec files;
  files.name = "files";
  files.incremental = false;
  files.options = {option("location", OptionType::kPath)};
  files.options[0].required = true;
  files.options[0].description = "the folder of the files";
  files.stream_options = {option("glob", OptionType::kString), option("format", OptionType::kString),
                          option("chunk", OptionType::kSize), option("header", OptionType::kBoolean),
                          option("settle", OptionType::kDuration), option("skip", OptionType::kInteger),
                          option("nulls", OptionType::kStringList)};
  files.stream_options[0].form = OptionForm::kGlob;
  files.stream_options[1].choices = {"csv", "json", "parquet"};
  files.stream_options[1].default_value = "csv";
  files.stream_options[2].default_value = "64MB";
  files.stream_options[3].default_value = "true";
  ConnectorSpec http;
  http.name = "http";
  http.incremental = true;
  http.may_repeat = true;
  OptionSpec client = option("client", OptionType::kObject);
  client.members = {option("base_url", OptionType::kUrl), option("headers", OptionType::kStringMap),
                    option("timeout", OptionType::kDuration), option("token", OptionType::kString)};
  client.required = client.members[0].required = true;
  client.members[2].default_value = "30s";
  client.members[3].secret = true;
  http.options = {client};
  http.stream_options = {option("endpoint", OptionType::kObject)};
  return {files, http};
}

inline constexpr char kConfig[] = "name: shop\n";
inline constexpr char kSource[] = "type: files\nlocation: drops\nstreams:\n  lines: {glob: '*.csv'}\n";

class Folder {
 public:
  explicit Folder(const Files& files) {
    std::string name = (fs::temp_directory_path() / "caudal_project_XXXXXX").string();
    x_path = ::mkdtemp(name.data());
    for (const auto& [path, text] : files) Write(path, text);
  }
  ~Folder() { fs::remove_all(x_path); }
  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories((fs::path(x_path) / path).parent_path());
    std::ofstream(fs::path(x_path) / path, std::ios::binary) << text;
  }
  const std::string& path() const { return x_path; }

 private:
  std::string x_path;
};

inline LoadOutcome Load(const Folder& folder, std::map<std::string, Schema> published = {}) {
  static const std::vector<ConnectorSpec> kSpecs = Specs();
  FakeAnalyzer analyzer;
  LoadOptions options;
  options.folder = folder.path();
  options.connectors = &kSpecs;
  options.analyzer = &analyzer;
  options.published = std::move(published);
  LoadOutcome outcome = LoadProject(options);
  CHECK(analyzer.calls <= 1, "all SQL is looked at in one call");
  return outcome;
}

inline std::map<std::string, Schema> Published() {
  Schema lines;
  lines.fields = {Field{"id", TypeNamed("BIGINT"), 1}, Field{"day", TypeNamed("DATE"), 2},
                  Field{"amount", TypeNamed("DOUBLE"), 3}, Field{"country", TypeNamed("VARCHAR"), 4}};
  return {{"shop_files.lines", lines}};
}

inline std::string Joined(const LoadOutcome& outcome) {
  std::string all;
  for (const Problem& problem : outcome.problems) {
    all += (all.empty() ? "" : "\n") + std::string(problem.warning ? "warning: " : "") + problem.ToString();
  }
  return all;
}

}  // namespace caudal
