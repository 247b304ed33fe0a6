#include "project/sql_text.h"

#include <utility>

#include "data/name.h"

namespace caudal {
namespace {

bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : x_sql(sql) {}

  std::vector<SqlToken> Run() {
    while (x_at < x_sql.size()) {
      char c = x_sql[x_at];
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++x_at;
      } else {
        Next(c);
      }
    }
    return std::move(x_tokens);
  }

 private:
  using Kind = SqlToken::Kind;

  char Peek(std::size_t ahead) const { return x_at + ahead < x_sql.size() ? x_sql[x_at + ahead] : '\0'; }

  void Emit(Kind kind, std::size_t end) {
    x_tokens.push_back(SqlToken{kind, x_at, end, std::string(x_sql.substr(x_at, end - x_at))});
    x_at = end;
  }

  void Next(char c) {
    if (c == '-' && Peek(1) == '-') {
      std::size_t end = x_sql.find('\n', x_at);
      Emit(Kind::kComment, end == std::string_view::npos ? x_sql.size() : end);
    } else if (c == '/' && Peek(1) == '*') {
      BlockComment();
    } else if (c == '\'') {
      Quoted(x_at, false);
    } else if ((c == 'e' || c == 'E') && Peek(1) == '\'') {
      Quoted(x_at + 1, true);
    } else if (c == '"') {
      Quoted(x_at, false);
    } else if (c == '$') {
      Dollar();
    } else if (IsWordStart(c)) {
      Emit(Kind::kWord, WordEnd(x_at));
    } else if (IsDigit(c)) {
      std::size_t end = x_at;
      while (end < x_sql.size() && (IsWordPart(x_sql[end]) || x_sql[end] == '.')) ++end;
      Emit(Kind::kNumber, end);
    } else {
      Emit(Kind::kSymbol, x_at + 1);
    }
  }

  std::size_t WordEnd(std::size_t at) const {
    while (at < x_sql.size() && IsWordPart(x_sql[at])) ++at;
    return at;
  }

  // Comments nest, as in PostgreSQL.
  void BlockComment() {
    int depth = 0;
    for (std::size_t i = x_at; i + 1 < x_sql.size(); ++i) {
      if (x_sql[i] == '/' && x_sql[i + 1] == '*') {
        ++depth;
        ++i;
      } else if (x_sql[i] == '*' && x_sql[i + 1] == '/') {
        ++i;
        if (--depth == 0) return Emit(Kind::kComment, i + 1);
      }
    }
    Emit(Kind::kBroken, x_sql.size());
  }

  void Quoted(std::size_t open, bool backslash) {
    char quote = x_sql[open];
    std::string text;
    for (std::size_t i = open + 1; i < x_sql.size(); ++i) {
      char c = x_sql[i];
      if (backslash && c == '\\') {
        ++i;
      } else if (c == quote && i + 1 < x_sql.size() && x_sql[i + 1] == quote) {
        ++i;
        text += quote;
      } else if (c == quote) {
        Emit(quote == '"' ? Kind::kQuoted : Kind::kString, i + 1);
        if (quote == '"') x_tokens.back().text = std::move(text);
        return;
      } else {
        text += c;
      }
    }
    Emit(Kind::kBroken, x_sql.size());
  }

  void Dollar() {
    std::size_t word_end = WordEnd(x_at + 1);
    if (word_end < x_sql.size() && x_sql[word_end] == '$' && (word_end == x_at + 1 || !IsDigit(x_sql[x_at + 1]))) {
      std::string_view tag = x_sql.substr(x_at, word_end + 1 - x_at);
      std::size_t close = x_sql.find(tag, word_end + 1);
      if (close == std::string_view::npos) return Emit(Kind::kBroken, x_sql.size());
      return Emit(Kind::kString, close + tag.size());
    }
    if (word_end == x_at + 1) return Emit(Kind::kSymbol, x_at + 1);
    std::string name(x_sql.substr(x_at + 1, word_end - x_at - 1));
    Emit(Kind::kParameter, word_end);
    x_tokens.back().text = std::move(name);
  }

  std::string_view x_sql;
  std::size_t x_at = 0;
  std::vector<SqlToken> x_tokens;
};

bool IsName(const SqlToken& token) {
  return token.kind == SqlToken::Kind::kWord || token.kind == SqlToken::Kind::kQuoted;
}

std::string Spliced(std::string_view sql, const std::vector<std::pair<TableMention, std::string>>& parts) {
  std::string result;
  std::size_t at = 0;
  for (const auto& [mention, text] : parts) {
    result += sql.substr(at, mention.begin - at);
    result += text;
    at = mention.end;
  }
  return result + std::string(sql.substr(at));
}

Error Invalid(std::string message, std::string next) {
  return Error{ErrorKind::kInvalidArgument, std::move(message), std::move(next), ""};
}

}  // namespace

std::vector<SqlToken> SqlTokens(std::string_view sql) { return Lexer(sql).Run(); }

std::vector<TableMention> TableMentions(std::string_view sql, const std::set<std::string>& known) {
  std::vector<TableMention> mentions;
  std::vector<SqlToken> tokens = SqlTokens(sql);
  auto is_dot = [&](std::size_t i) {
    return i < tokens.size() && tokens[i].kind == SqlToken::Kind::kSymbol && tokens[i].text == ".";
  };
  for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {
    if (!IsName(tokens[i]) || !is_dot(i + 1) || !IsName(tokens[i + 2])) continue;
    if (i > 0 && is_dot(i - 1)) continue;
    std::string table = LowerName(tokens[i].text) + "." + LowerName(tokens[i + 2].text);
    if (known.count(table) != 0) mentions.push_back(TableMention{table, tokens[i].begin, tokens[i + 2].end});
  }
  return mentions;
}

std::string ReplaceTables(std::string_view sql, const std::map<std::string, std::string>& replacements) {
  std::set<std::string> known;
  for (const auto& [table, text] : replacements) known.insert(table);
  std::vector<std::pair<TableMention, std::string>> parts;
  for (TableMention& mention : TableMentions(sql, known)) {
    std::string text = replacements.at(mention.table);
    parts.emplace_back(std::move(mention), std::move(text));
  }
  return Spliced(sql, parts);
}

std::string ReplaceParameters(std::string_view sql, const std::map<std::string, std::string>& replacements) {
  std::vector<std::pair<TableMention, std::string>> parts;
  for (const SqlToken& token : SqlTokens(sql)) {
    if (token.kind != SqlToken::Kind::kParameter) continue;
    auto it = replacements.find(LowerName(token.text));
    if (it != replacements.end()) parts.emplace_back(TableMention{"", token.begin, token.end}, it->second);
  }
  return Spliced(sql, parts);
}

Status CheckExpressionText(std::string_view text) {
  std::vector<SqlToken> tokens = SqlTokens(text);
  if (tokens.empty()) return Invalid("the expression is empty", "write a condition that is true for a good row");
  std::string open;
  for (const SqlToken& token : tokens) {
    if (token.kind == SqlToken::Kind::kBroken) return Invalid("a quote in the expression is not closed", "close it");
    if (token.kind == SqlToken::Kind::kComment) return Invalid("a comment in the expression", "take it out");
    if (token.kind != SqlToken::Kind::kSymbol) continue;
    char c = token.text[0];
    if (c == ';') return Invalid("';' in the expression", "write one condition, not statements");
    if (c == '(' || c == '[' || c == '{') open += c;
    if (c != ')' && c != ']' && c != '}') continue;
    char partner = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (open.empty() || open.back() != partner) {
      return Invalid(std::string("'") + c + "' in the expression closes nothing", "balance the brackets");
    }
    open.pop_back();
  }
  if (!open.empty()) return Invalid(std::string("'") + open.back() + "' in the expression is not closed", "close it");
  return {};
}

Status CheckPatternText(std::string_view pattern) {
  int open = 0;
  bool can_repeat = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '\\') {
      if (i + 1 >= pattern.size()) return Invalid("the pattern ends with a backslash", "write \\\\ for a backslash");
      char next = pattern[++i];
      if (next >= '1' && next <= '9') return Invalid("back references are not there", "write the pattern without \\" + std::string(1, next));
      if (next == 'Q') {
        std::size_t end = pattern.find("\\E", i);
        i = end == std::string_view::npos ? pattern.size() : end + 1;
      }
      can_repeat = true;
    } else if (c == '[') {
      std::size_t close = i + 1;
      if (close < pattern.size() && pattern[close] == '^') ++close;
      if (close < pattern.size() && pattern[close] == ']') ++close;
      while (close < pattern.size() && pattern[close] != ']') {
        if (pattern[close] == '\\') ++close;
        if (close + 1 < pattern.size() && pattern[close] == '[' && pattern[close + 1] == ':') {
          std::size_t end = pattern.find(":]", close);
          if (end != std::string_view::npos) close = end + 1;
        }
        ++close;
      }
      if (close >= pattern.size()) return Invalid("'[' in the pattern is not closed", "close it, or write \\[");
      i = close;
      can_repeat = true;
    } else if (c == '(') {
      std::string_view rest = pattern.substr(i);
      for (const char* look : {"(?=", "(?!", "(?<=", "(?<!"}) {
        if (rest.rfind(look, 0) == 0) {
          return Invalid(std::string("look-around ") + look + "...) is not there", "write an expression check instead");
        }
      }
      ++open;
      if (rest.rfind("(?", 0) == 0) ++i;
      can_repeat = false;
    } else if (c == ')') {
      if (--open < 0) return Invalid("')' in the pattern closes nothing", "take it out, or write \\)");
      can_repeat = true;
    } else if (c == '*' || c == '+' || c == '?') {
      if (!can_repeat) return Invalid(std::string("'") + c + "' in the pattern repeats nothing", "write \\" + std::string(1, c));
      if (i + 1 < pattern.size() && pattern[i + 1] == '?') ++i;
      can_repeat = false;
    } else {
      can_repeat = c != '|' && c != '^';
    }
  }
  if (open > 0) return Invalid("'(' in the pattern is not closed", "close it, or write \\(");
  return {};
}

}  // namespace caudal
