#include "data/type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "data/name.h"
#include "data/schema.h"

namespace caudal {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::string_view kTypesThatExist =
    "BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), VARCHAR, BLOB, DATE, TIMESTAMPTZ, T[], "
    "STRUCT(name T, ...), MAP(VARCHAR, T)";

struct Spelling {
  std::string_view text;  // upper case, words joined by one blank
  TypeKind kind;
  std::uint8_t precision = 0;
};

/// Every name of a type without members that DuckDB prints or reads. docs/formats/types.md has the reasons.
constexpr std::array kSpellings = std::to_array<Spelling>({
    {"BOOLEAN", TypeKind::kBoolean},
    {"BOOL", TypeKind::kBoolean},
    {"LOGICAL", TypeKind::kBoolean},
    {"TINYINT", TypeKind::kTinyint},
    {"INT1", TypeKind::kTinyint},
    {"SMALLINT", TypeKind::kSmallint},
    {"INT2", TypeKind::kSmallint},
    {"INT16", TypeKind::kSmallint},
    {"SHORT", TypeKind::kSmallint},
    {"UTINYINT", TypeKind::kSmallint},
    {"UINT8", TypeKind::kSmallint},
    {"INTEGER", TypeKind::kInteger},
    {"INT", TypeKind::kInteger},
    {"INT4", TypeKind::kInteger},
    {"INT32", TypeKind::kInteger},
    {"SIGNED", TypeKind::kInteger},
    {"INTEGRAL", TypeKind::kInteger},
    {"USMALLINT", TypeKind::kInteger},
    {"UINT16", TypeKind::kInteger},
    {"BIGINT", TypeKind::kBigint},
    {"INT8", TypeKind::kBigint},
    {"INT64", TypeKind::kBigint},
    {"LONG", TypeKind::kBigint},
    {"OID", TypeKind::kBigint},
    {"UINTEGER", TypeKind::kBigint},
    {"UINT32", TypeKind::kBigint},
    {"UBIGINT", TypeKind::kDecimal, 20},
    {"UINT64", TypeKind::kDecimal, 20},
    {"HUGEINT", TypeKind::kDecimal, 38},
    {"INT128", TypeKind::kDecimal, 38},
    {"UHUGEINT", TypeKind::kDecimal, 38},
    {"UINT128", TypeKind::kDecimal, 38},
    {"FLOAT", TypeKind::kFloat},
    {"FLOAT4", TypeKind::kFloat},
    {"REAL", TypeKind::kFloat},
    {"DOUBLE", TypeKind::kDouble},
    {"DOUBLE PRECISION", TypeKind::kDouble},
    {"FLOAT8", TypeKind::kDouble},
    {"VARCHAR", TypeKind::kVarchar},
    {"TEXT", TypeKind::kVarchar},
    {"STRING", TypeKind::kVarchar},
    {"CHAR", TypeKind::kVarchar},
    {"BPCHAR", TypeKind::kVarchar},
    {"NVARCHAR", TypeKind::kVarchar},
    {"JSON", TypeKind::kVarchar},
    {"UUID", TypeKind::kVarchar},
    {"GUID", TypeKind::kVarchar},
    {"ENUM", TypeKind::kVarchar},
    {"BIT", TypeKind::kVarchar},
    {"BITSTRING", TypeKind::kVarchar},
    {"BIGNUM", TypeKind::kVarchar},
    {"VARINT", TypeKind::kVarchar},
    {"INTERVAL", TypeKind::kVarchar},
    {"TIME", TypeKind::kVarchar},
    {"TIME_NS", TypeKind::kVarchar},
    {"TIME WITHOUT TIME ZONE", TypeKind::kVarchar},
    {"TIME WITH TIME ZONE", TypeKind::kVarchar},
    {"TIMETZ", TypeKind::kVarchar},
    {"NULL", TypeKind::kVarchar},
    {"UNKNOWN", TypeKind::kVarchar},
    {"BLOB", TypeKind::kBlob},
    {"BYTEA", TypeKind::kBlob},
    {"BINARY", TypeKind::kBlob},
    {"VARBINARY", TypeKind::kBlob},
    {"DATE", TypeKind::kDate},
    {"TIMESTAMPTZ", TypeKind::kTimestamptz},
    {"TIMESTAMP", TypeKind::kTimestamptz},
    {"DATETIME", TypeKind::kTimestamptz},
    {"TIMESTAMP_S", TypeKind::kTimestamptz},
    {"TIMESTAMP_MS", TypeKind::kTimestamptz},
    {"TIMESTAMP_US", TypeKind::kTimestamptz},
    {"TIMESTAMP_NS", TypeKind::kTimestamptz},
    {"TIMESTAMPTZ_NS", TypeKind::kTimestamptz},
    {"TIMESTAMP WITH TIME ZONE", TypeKind::kTimestamptz},
    {"TIMESTAMP WITHOUT TIME ZONE", TypeKind::kTimestamptz},
});

/// Words that DuckDB does not take as a member's name unless they are quoted, sorted.
constexpr std::array kReserved = std::to_array<std::string_view>(
    {"all",        "analyse",   "analyze",    "and",        "anti",       "any",          "array",     "as",
     "asc",        "asof",      "asymmetric", "at",         "authorization", "binary",    "both",      "case",
     "cast",       "check",     "collate",    "collation",  "column",     "concurrently", "constraint", "create",
     "cross",      "default",   "deferrable", "desc",       "describe",   "distinct",     "do",        "else",
     "end",        "except",    "false",      "fetch",      "for",        "foreign",      "freeze",    "from",
     "full",       "generated", "glob",       "group",      "having",     "ilike",        "in",        "initially",
     "inner",      "intersect", "into",       "is",         "isnull",     "join",         "lambda",    "lateral",
     "leading",    "left",      "like",       "limit",      "map",        "natural",      "not",       "notnull",
     "null",       "offset",    "on",         "only",       "or",         "order",        "outer",     "overlaps",
     "pivot",      "pivot_longer", "pivot_wider", "placing", "positional", "primary",     "qualify",   "references",
     "returning",  "right",     "select",     "semi",       "show",       "similar",      "some",      "struct",
     "summarize",  "symmetric", "table",      "tablesample", "then",      "to",           "trailing",  "true",
     "try_cast",   "union",     "unique",     "unpack",     "unpivot",    "using",        "variadic",  "verbose",
     "when",       "where",     "window",     "with"});

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || (c & 0x80) != 0;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

Type Scalar(TypeKind kind) { return Type{kind, 0, 0, {}}; }

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : x_text(text), x_rest(text) {}

  Result<Type> Parse() {
    TRY_ASSIGN(Type type, ParseOne(0));
    Blanks();
    if (!x_rest.empty()) return Refuse("there is text behind the type");
    return type;
  }

 private:
  Error Refuse(std::string_view why) const {
    return Error{ErrorKind::kInvalidArgument, "not a column type: '" + std::string(x_text) + "': " + std::string(why),
                 "types are " + std::string(kTypesThatExist), ""};
  }

  void Blanks() {
    while (!x_rest.empty() && std::isspace(static_cast<unsigned char>(x_rest[0])) != 0) x_rest.remove_prefix(1);
  }

  bool Take(char c) {
    Blanks();
    if (x_rest.empty() || x_rest[0] != c) return false;
    x_rest.remove_prefix(1);
    return true;
  }

  std::string_view PeekWord() {
    Blanks();
    std::size_t n = 0;
    while (n < x_rest.size() && IsWordByte(x_rest[n])) ++n;
    return x_rest.substr(0, n);
  }

  bool TakeWord(std::string_view upper) {
    auto word = PeekWord();
    if (Upper(word) != upper) return false;
    x_rest.remove_prefix(word.size());
    return true;
  }

  /// Text between two `quote`, which stands twice inside.
  Result<std::string> Quoted(char quote) {
    std::string name;
    if (!Take(quote)) return Refuse("a quote is missing");
    while (!x_rest.empty()) {
      char c = x_rest[0];
      x_rest.remove_prefix(1);
      if (c == quote) {
        if (x_rest.empty() || x_rest[0] != quote) return name;
        x_rest.remove_prefix(1);
      }
      name += c;
    }
    return Refuse("a quote is not closed");
  }

  Result<std::string> MemberName() {
    Blanks();
    if (!x_rest.empty() && x_rest[0] == '"') return Quoted('"');
    auto word = PeekWord();
    if (word.empty()) return Refuse("a member has no name");
    x_rest.remove_prefix(word.size());
    return std::string(word);
  }

  Result<int> Number() {
    auto word = PeekWord();
    int n = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) return Refuse("a number is missing");
    x_rest.remove_prefix(word.size());
    return n;
  }

  Result<Type> ParseOne(int depth) {
    if (depth > kMaxDepth) return Refuse("it is nested too deeply");
    TRY_ASSIGN(Type type, ParseBase(depth));
    while (Take('[')) {
      if (++depth > kMaxDepth) return Refuse("it is nested too deeply");
      if (!Take(']')) {
        TRY(Number());
        if (!Take(']')) return Refuse("']' is missing");
      }
      Type list = Scalar(TypeKind::kList);
      list.children.push_back(Field{"element", std::move(type), 0});
      type = std::move(list);
    }
    return type;
  }

  Result<Type> ParseBase(int depth) {
    Blanks();
    if (!x_rest.empty() && x_rest[0] == '"') {
      TRY_ASSIGN(std::string name, Quoted('"'));
      return Named(Upper(name));
    }
    std::string name = Upper(PeekWord());
    x_rest.remove_prefix(name.size());
    if (name.empty()) return Refuse("a type is missing");
    if (name == "STRUCT" || name == "ROW") return ParseStruct(depth);
    if (name == "MAP") return ParseMap(depth);
    if (name == "DECIMAL" || name == "NUMERIC" || name == "DEC") return ParseDecimal();
    if (name == "ENUM") return ParseEnum();
    if (name == "DOUBLE" && TakeWord("PRECISION")) return Scalar(TypeKind::kDouble);
    TRY_ASSIGN(Type type, Named(name));
    if (Take('(')) {  // VARCHAR(20), TIMESTAMP(3): DuckDB ignores the number, too
      TRY(Number());
      if (!Take(')')) return Refuse("')' is missing");
    }
    if (name == "TIMESTAMP" || name == "TIME") TRY(TimeZoneWords());
    if (TakeWord("COLLATE")) TRY(MemberName());
    return type;
  }

  Result<Type> Named(const std::string& name) {
    for (const auto& spelling : kSpellings) {
      if (spelling.text == name) return Type{spelling.kind, spelling.precision, 0, {}};
    }
    return Refuse("'" + name + "' is not a type that every open table format holds");
  }

  Status TimeZoneWords() {
    if (!TakeWord("WITH") && !TakeWord("WITHOUT")) return {};
    if (!TakeWord("TIME") || !TakeWord("ZONE")) return Refuse("'TIME ZONE' is missing");
    return {};
  }

  Result<Type> ParseDecimal() {
    int precision = 18, scale = 3;
    if (Take('(')) {
      scale = 0;
      TRY_ASSIGN(precision, Number());
      if (Take(',')) {
        TRY_ASSIGN(scale, Number());
      }
      if (!Take(')')) return Refuse("')' is missing");
    }
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
      return Refuse("a DECIMAL has 1 to 38 digits, and not more of them behind the point");
    }
    return Type{TypeKind::kDecimal, static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale), {}};
  }

  Result<Type> ParseEnum() {
    if (Take('(') && !Take(')')) {
      do {
        TRY(Quoted('\''));
      } while (Take(','));
      if (!Take(')')) return Refuse("')' is missing");
    }
    return Scalar(TypeKind::kVarchar);
  }

  Result<Type> ParseStruct(int depth) {
    Type type = Scalar(TypeKind::kStruct);
    if (!Take('(')) return Refuse("'(' is missing");
    do {
      TRY_ASSIGN(std::string name, MemberName());
      TRY_ASSIGN(Type member, ParseOne(depth + 1));
      for (const auto& other : type.children) {
        if (SameName(other.name, name)) return Refuse("two members are called '" + name + "'");
      }
      type.children.push_back(Field{std::move(name), std::move(member), 0});
    } while (Take(','));
    if (!Take(')')) return Refuse("')' is missing");
    return type;
  }

  Result<Type> ParseMap(int depth) {
    if (!Take('(')) return Refuse("'(' is missing");
    TRY_ASSIGN(Type key, ParseOne(depth + 1));
    if (!Take(',')) return Refuse("a MAP has a key and a value");
    TRY_ASSIGN(Type value, ParseOne(depth + 1));
    if (!Take(')')) return Refuse("')' is missing");
    if (key.nested()) return Refuse("the key of a MAP is a single value");
    Type type = Scalar(TypeKind::kMap);
    type.children.push_back(Field{"key", Scalar(TypeKind::kVarchar), 0});  // Avro's maps know no other key
    type.children.push_back(Field{"value", std::move(value), 0});
    return type;
  }

  std::string_view x_text;
  std::string_view x_rest;
};

std::string MemberSql(const std::string& name) {
  bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 && name[0] != '$' &&
               std::all_of(name.begin(), name.end(), [](char c) { return IsWordByte(c) && (c & 0x80) == 0; });
  if (plain && !std::binary_search(kReserved.begin(), kReserved.end(), LowerName(name))) return name;
  return QuoteIdentifier(name);
}

int IntegerRank(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyint: return 1;
    case TypeKind::kSmallint: return 2;
    case TypeKind::kInteger: return 3;
    case TypeKind::kBigint: return 4;
    default: return 0;
  }
}

}  // namespace

bool Type::numeric() const {
  switch (kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDecimal: return true;
    default: return false;
  }
}

std::string Type::ToSql() const {
  switch (kind) {
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kTinyint: return "TINYINT";
    case TypeKind::kSmallint: return "SMALLINT";
    case TypeKind::kInteger: return "INTEGER";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kFloat: return "FLOAT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kVarchar: return "VARCHAR";
    case TypeKind::kBlob: return "BLOB";
    case TypeKind::kDate: return "DATE";
    case TypeKind::kTimestamptz: return "TIMESTAMPTZ";
    case TypeKind::kDecimal: return "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
    case TypeKind::kList: return children.at(0).type.ToSql() + "[]";
    case TypeKind::kMap: return "MAP(" + children.at(0).type.ToSql() + ", " + children.at(1).type.ToSql() + ")";
    case TypeKind::kStruct: break;
  }
  std::string sql = "STRUCT(";
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += MemberSql(children[i].name) + " " + children[i].type.ToSql();
  }
  return sql + ")";
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.precision != b.precision || a.scale != b.scale) return false;
  return std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                    [](const Field& x, const Field& y) { return x.name == y.name && x.type == y.type; });
}

Result<Type> ParseType(std::string_view sql) { return TypeParser(sql).Parse(); }

bool Widens(const Type& from, const Type& to) {
  if (from == to) return true;
  if (IntegerRank(from.kind) > 0 && IntegerRank(to.kind) > IntegerRank(from.kind)) return true;
  if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble) return true;
  return from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal && from.scale == to.scale &&
         from.precision < to.precision;
}

}  // namespace caudal
