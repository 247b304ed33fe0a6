#include "serve/rows_document.h"

#include <charconv>
#include <cmath>

#include "base/json.h"

namespace caudal {
namespace {

Json ValueOf(const Cell& cell, const Type& type) {
  if (!cell) return nullptr;
  switch (type.kind) {
    case TypeKind::kBoolean: return *cell == "true";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), number);
      if (error == std::errc() && end == cell->data() + cell->size()) return number;
      return *cell;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double number = 0;
      const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), number);
      if (error == std::errc() && end == cell->data() + cell->size() && std::isfinite(number)) return number;
      return *cell;
    }
    default: return *cell;
  }
}

}  // namespace

Json ColumnsDocument(const Schema& schema) {
  Json columns = Json::array();
  for (const Field& field : schema.fields) columns.push_back({{"name", field.name}, {"type", field.type.ToSql()}});
  return columns;
}

Json RowsDocument(const Rows& rows) {
  Json all = Json::array();
  for (const auto& row : rows.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size() && i < rows.schema.fields.size(); ++i) {
      object[rows.schema.fields[i].name] = ValueOf(row[i], rows.schema.fields[i].type);
    }
    all.push_back(std::move(object));
  }
  return all;
}

Json ErrorObject(const Error& error) {
  return {{"kind", KindName(error.kind)}, {"message", error.message}, {"where", error.where}, {"next", error.next}};
}

}  // namespace caudal
