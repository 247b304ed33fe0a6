// Enough of SQL's lexical form to find names, parameters and templates in it, and to tell whether a text is one
// expression. It understands no grammar: that is the engine's. Pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct SqlToken {
  enum class Kind {
    kWord,       // identifier or keyword
    kQuoted,     // "identifier"
    kString,     // 'text', $$text$$
    kNumber,
    kParameter,  // $name
    kSymbol,     // one character
    kComment,
    kBroken,     // a string, quote or comment that does not end
  };
  Kind kind = Kind::kSymbol;
  std::size_t begin = 0, end = 0;  // bytes
  /// An identifier or parameter without quotes and $; else the text as it stands.
  std::string text;
};

/// Blanks are left out. Tokens cover the text in order.
std::vector<SqlToken> SqlTokens(std::string_view sql);

/// `schema.table` as it stands in a text, quoted or not.
struct TableMention {
  std::string table;  // lower case, "silver.orders"
  std::size_t begin = 0, end = 0;
};
/// Every pair of identifiers joined by a dot that is one of `known` (lower case). More than what is read: an alias may
/// look the same.
std::vector<TableMention> TableMentions(std::string_view sql, const std::set<std::string>& known);

/// `sql` with each mention of a table replaced. Keys: lower case "schema.table".
std::string ReplaceTables(std::string_view sql, const std::map<std::string, std::string>& replacements);
/// `sql` with each $name replaced. Keys: lower case names.
std::string ReplaceParameters(std::string_view sql, const std::map<std::string, std::string>& replacements);

/// One SQL expression that stands in parentheses of ours without reaching out of them: no ';', no comment, quotes and
/// brackets closed in order. Errors: kInvalidArgument.
Status CheckExpressionText(std::string_view text);

/// What RE2, the engine's regular expressions, cannot take: look-around, back references, brackets that do not close.
/// Errors: kInvalidArgument.
Status CheckPatternText(std::string_view pattern);

}  // namespace caudal
