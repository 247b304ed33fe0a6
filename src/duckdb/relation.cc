#include "duckdb/relation.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/ids.h"
#include "data/reserved_name.h"
#include "duckdb/sql_text.h"

namespace caudal {
namespace {

constexpr std::int64_t kMostAnswers = 100'000;

std::int32_t MaxId(const std::vector<Field>& fields) {
  std::int32_t most = 0;
  for (const Field& field : fields) most = std::max({most, field.id, MaxId(field.type.children)});
  return most;
}

// The columns that the rows have, with the types that the table has.
Schema Typed(const Schema& read, const Schema& pinned) {
  Schema columns = read;
  columns.fields.push_back(Field{"_source_file", Type{TypeKind::kVarchar, 0, 0, {}}, 0});
  columns.fields.push_back(Field{"_source_row", Type{TypeKind::kBigint, 0, 0, {}}, 0});
  for (Field& field : columns.fields) {
    if (const Field* known = pinned.Find(field.name)) field.type = known->type;
  }
  std::int32_t max_id = MaxId(pinned.fields);
  AssignFieldIds(pinned, columns, max_id);
  return columns;
}

void Discard(const std::string& path) {
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove(path, ignored);
}

}  // namespace

Status RelationReader::Attach(const AttachedDatabase& database) {
  if (x_attached == database.name) return {};
  if (!x_attached.empty()) {
    return Error{ErrorKind::kInternal, "one job reads one database, not also " + database.name, "", ""};
  }
  TRY(x_connection.Attach(database, x_extensions));
  std::vector<std::string> folders;
  if (!x_staging_folder.empty()) folders.push_back(x_staging_folder);
  if (database.kind == "delta") folders.push_back(database.location);
  TRY(x_connection.Fence({}, folders));
  x_attached = database.name;
  return {};
}

Result<Rows> RelationReader::Ask(const AttachedDatabase& database, const std::string& sql) {
  TRY(Attach(database));
  return x_connection.Query(sql, {}, kMostAnswers);
}

Result<RelationReader::Copied> RelationReader::Copy(const AttachedDatabase& database, const Selects& selects, const Target& target,
                                                    const Schema& pinned) {
  TRY(Attach(database));
  TRY(x_connection.Run("BEGIN TRANSACTION"));
  Result<Copied> copied = CopyInside(selects, target, pinned);
  if (!copied) {
    [[maybe_unused]] const Status undone = x_connection.Run("ROLLBACK");  // the error above is the one to tell
    Discard(target.path);
    Discard(target.keys_path);
    return copied;
  }
  TRY(x_connection.Run("COMMIT"));
  return copied;
}

Result<RelationReader::Copied> RelationReader::CopyInside(const Selects& selects, const Target& target, const Schema& pinned) {
  Copied copied;
  if (!selects.cursor.empty()) {
    TRY_ASSIGN(const Rows answer, x_connection.Query(selects.cursor, {}, 1));
    if (!answer.rows.empty() && !answer.rows[0].empty()) copied.cursor = answer.rows[0][0];
  }
  if (!selects.keys.empty()) {
    TRY_ASSIGN(copied.keys, CopyKeys(selects.keys, target.keys_path, pinned));
  }
  TRY_ASSIGN(const Connection::Shape shape, x_connection.Describe(selects.rows));  // without asking for a row
  TRY(RefuseReservedColumns(shape.columns));
  copied.columns = Typed(shape.columns, pinned);
  // A count is one thread's work, from the source to the file.
  const std::string file = QuoteLiteral(target.source_file);
  const std::string select =
      selects.numbered.empty()
          ? fmt::format("SELECT *, {} AS _source_file, row_number() OVER () AS _source_row FROM (\n{}\n)", file, SelectBody(selects.rows))
          : fmt::format("SELECT * EXCLUDE (_source_row), {} AS _source_file, _source_row FROM (\n{}\n)", file, SelectBody(selects.numbered));
  TRY_ASSIGN(std::vector<WrittenFile> files, x_connection.Copy(CopyToFile(select, copied.columns, target.path), {}));
  if (!files.empty()) copied.file = std::move(files[0]);
  for (const std::string_view name : kHoodieColumns) copied.file.columns.erase(std::string(name));
  if (copied.file.rows == 0) {
    Discard(target.path);
    return copied;
  }
  TRY_ASSIGN(copied.file.sha256, Sha256OfFile(copied.file.path));
  return copied;
}

Result<std::int64_t> RelationReader::CopyKeys(const std::string& sql, const std::string& path, const Schema& pinned) {
  TRY_ASSIGN(const Connection::Shape shape, x_connection.Describe(sql));
  Schema columns = shape.columns;
  for (Field& field : columns.fields) {
    if (const Field* known = pinned.Find(field.name)) field = *known;
  }
  TRY_ASSIGN(const std::vector<WrittenFile> files, x_connection.Copy(CopyToFile(sql, columns, path), {}));
  return files.empty() ? 0 : files[0].rows;
}

}  // namespace caudal
