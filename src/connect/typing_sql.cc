#include "connect/typing_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/schema.h"

namespace caudal {
namespace {

bool IsInteger(const Type& type) {
  return type.kind == TypeKind::kTinyint || type.kind == TypeKind::kSmallint || type.kind == TypeKind::kInteger ||
         type.kind == TypeKind::kBigint;
}

/// The cast where a wider one says the same.
std::string Agreeing(const std::string& text, const std::string& sql, const std::string& wider) {
  return fmt::format("CASE WHEN TRY_CAST({0} AS {2}) = TRY_CAST({0} AS {1}) THEN TRY_CAST({0} AS {1}) END", text, sql,
                     wider);
}

/// `plain` for texts that are `safe` to cast so; `exact`, which costs more, for the others.
std::string PlainWhere(const std::string& safe, const std::string& plain, const std::string& exact) {
  return fmt::format("CASE WHEN {} THEN {} ELSE {} END", safe, plain, exact);
}

}  // namespace

std::string ExactCast(const std::string& text, const Type& type) {
  const std::string sql = type.ToSql();
  if (type.kind == TypeKind::kVarchar) return text;
  if (type.kind == TypeKind::kBlob) return fmt::format("encode({})", text);
  // Casts to DECIMAL(38,x) and to TIMESTAMPTZ cost a hundred and three times what the plain cast costs: most texts are told
  // by their form to need neither.
  if (IsInteger(type)) {
    return PlainWhere(fmt::format("TRY_CAST({0} AS {1})::VARCHAR = {0}", text, sql), fmt::format("TRY_CAST({} AS {})", text, sql),
                  Agreeing(text, sql, "DECIMAL(38,10)"));
  }
  if (type.kind == TypeKind::kDate) return Agreeing(text, sql, "TIMESTAMP");
  if (type.kind == TypeKind::kDecimal) {
    const int scale = std::min(38 - (type.precision - type.scale), type.scale + 10);
    return PlainWhere(fmt::format("coalesce(nullif(strpos({0}, '.'), 0), length({0})) >= length({0}) - {1} AND NOT contains({0}, 'e') "
                              "AND NOT contains({0}, 'E')", text, type.scale),
                  fmt::format("TRY_CAST({} AS {})", text, sql), Agreeing(text, sql, fmt::format("DECIMAL(38,{})", scale)));
  }
  if (type.kind == TypeKind::kTimestamptz) {
    return PlainWhere(fmt::format("{} LIKE '____-__-_____:__:__'", text),
                  fmt::format("make_timestamptz(epoch_us(TRY_CAST({} AS TIMESTAMP)))", text),
                  fmt::format("CASE WHEN isfinite(TRY_CAST({0} AS TIMESTAMPTZ)) THEN TRY_CAST({0} AS TIMESTAMPTZ) END", text));
  }
  return fmt::format("TRY_CAST({} AS {})", text, sql);
}

std::string JsonPathStep(const std::string& name) {
  std::string out = ".\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::vector<std::string> JsonMisfits(const std::string& json, const std::string& path, const Type& type) {
  const bool many = path.find("[*]") != std::string::npos;
  const std::string literal = QuoteLiteral(path);
  const auto any_not = [&](const std::string& wanted) {
    const std::string kind = fmt::format("json_type({}, {})", json, literal);
    if (!many) return fmt::format("{} NOT IN ('NULL', '{}')", kind, wanted);
    return fmt::format("len(list_filter({}, lambda k: k NOT IN ('NULL', '{}'))) > 0", kind, wanted);
  };
  std::vector<std::string> misfits;
  const auto add = [&](std::vector<std::string> more) { misfits.insert(misfits.end(), more.begin(), more.end()); };
  if (type.kind == TypeKind::kStruct) {
    misfits.push_back(any_not("OBJECT"));
    for (const Field& member : type.children) add(JsonMisfits(json, path + JsonPathStep(member.name), member.type));
  } else if (type.kind == TypeKind::kList) {
    misfits.push_back(any_not("ARRAY"));
    add(JsonMisfits(json, path + "[*]", type.children[0].type));
  } else if (type.kind == TypeKind::kMap) {
    misfits.push_back(any_not("OBJECT"));
    add(JsonMisfits(json, path + ".*", type.children[1].type));
  } else if (type.kind != TypeKind::kVarchar && type.kind != TypeKind::kBlob) {
    const std::string text = fmt::format("json_extract_string({}, {})", json, literal);
    if (many || path.find(".*") != std::string::npos) {
      misfits.push_back(fmt::format("len(list_filter({}, lambda v: v IS NOT NULL AND ({}) IS NULL)) > 0", text,
                                    ExactCast("v", type)));
    } else {
      misfits.push_back(fmt::format("({0} IS NOT NULL AND ({1}) IS NULL)", text, ExactCast(text, type)));
    }
  }
  return misfits;
}

std::string TypesWithin(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
      return "'TINYINT'";
    case TypeKind::kSmallint:
      return "'SMALLINT', 'TINYINT', 'UTINYINT'";
    case TypeKind::kInteger:
      return "'INTEGER', 'SMALLINT', 'TINYINT', 'USMALLINT', 'UTINYINT'";
    case TypeKind::kBigint:
      return "'BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'UINTEGER', 'USMALLINT', 'UTINYINT'";
    case TypeKind::kDouble:
      return "'DOUBLE', 'FLOAT', 'INTEGER', 'SMALLINT', 'TINYINT'";
    case TypeKind::kTimestamptz:
      return "'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'DATE'";
    case TypeKind::kVarchar:
      return "'VARCHAR', 'BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'DOUBLE', 'FLOAT', 'BOOLEAN', 'DATE', "
             "'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIME', 'UUID', 'INTERVAL'";
    default:
      return QuoteLiteral(type.ToSql());
  }
}

}  // namespace caudal
