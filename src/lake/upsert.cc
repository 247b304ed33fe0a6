#include "lake/upsert.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "data/name.h"
#include "lake/delta_stats.h"
#include "lake/value_text.h"

namespace caudal {
namespace {

constexpr std::string_view kSchema = "caudal_lake";
constexpr std::string_view kFileColumn = "_caudal_file";
constexpr std::string_view kMatched = "caudal_matched";

bool Contains(const std::vector<std::string>& columns, std::string_view name) {
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& column) { return SameName(column, name); });
}

std::string Of(std::string_view alias, std::string_view column) {
  return std::string(alias) + "." + QuoteIdentifier(column);
}

/// "t.a = c.a AND ...": NULL meets nothing.
std::string SameKey(const std::vector<std::string>& key, std::string_view left, std::string_view right) {
  std::string sql;
  for (const std::string& column : key) {
    sql += (sql.empty() ? "" : " AND ") + Of(left, column) + " = " + Of(right, column);
  }
  return sql;
}

/// A column as it is to be stored: an empty text in a partition column is NULL, as in the log.
std::string Stored(const Snapshot& snapshot, const Field& field, std::string_view alias) {
  std::string column = Of(alias, field.name);
  bool text_partition = field.type.kind == TypeKind::kVarchar && Contains(snapshot.partition_columns, field.name);
  return text_partition ? "nullif(" + column + ", '')" : column;
}

std::string StoredColumns(const Snapshot& snapshot, std::string_view alias) {
  std::string sql;
  for (const Field& field : snapshot.schema.fields) {
    sql += (sql.empty() ? "" : ", ") + Stored(snapshot, field, alias) + " AS " + QuoteIdentifier(field.name);
  }
  return sql;
}

/// The number in `files` of the file that a row of `alias` is in. DuckDB gives it as a constant of each vector, so
/// this costs a comparison a vector, not a row.
std::string NumberOfFile(const std::vector<const LiveFile*>& files, const std::string& root, std::string_view alias) {
  std::string sql = fmt::format("CASE {}.{}", alias, kOriginColumn);
  for (std::size_t i = 0; i < files.size(); ++i) {
    sql += fmt::format(" WHEN {} THEN {}", QuoteLiteral(root + "/" + files[i]->path), i);
  }
  return sql + " END";
}

std::string MovedAway(const Snapshot& snapshot, const std::vector<std::string>& key) {
  std::string sql;
  for (const std::string& column : snapshot.partition_columns) {
    const Field* field = snapshot.schema.Find(column);
    if (Contains(key, column) || field == nullptr) continue;  // equal keys are in equal partitions
    sql += (sql.empty() ? "" : " OR ") + Stored(snapshot, *field, "t") + " IS DISTINCT FROM " + Stored(snapshot, *field, "c");
  }
  return sql.empty() ? "false" : sql;
}

/// One row each of `files`.
Step FilesQuery(const std::string& name, std::string sql, std::size_t files) {
  return Step::Query(name, std::move(sql), static_cast<std::int64_t>(files) + 1);
}

Step WriteStep(const Snapshot& snapshot, const std::string& name, std::string sql, const std::string& folder) {
  WriteLayout layout;
  layout.folder = folder + "/" + name;
  layout.columns = snapshot.schema;
  return Step::Write(name, std::move(sql), std::move(layout));
}

/// Adds the input and returns its name as SQL.
std::string AddInput(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& files,
                     const std::string& root, const std::string& name) {
  job.inputs.push_back(InputOf(snapshot, std::string(kSchema), name, files, root, true));
  return QuoteTable(kSchema, name);
}

/// False only where the file's bounds show that no value of [min, max] is in it.
bool MayHold(const LiveFile& file, const std::map<std::string, ColumnStats>& columns, const Field& field,
             const ColumnStats& bounds) {
  auto partition = file.partition.find(field.name);
  if (partition != file.partition.end()) {
    if (!partition->second) return false;  // NULL matches no key
    const std::string& value = *partition->second;
    if (bounds.min && CompareValues(field.type, value, *bounds.min) == std::strong_ordering::less) return false;
    return !(bounds.max && CompareValues(field.type, value, *bounds.max) == std::strong_ordering::greater);
  }
  auto stats = columns.find(field.name);
  if (stats == columns.end()) return true;
  if (stats->second.max && bounds.min &&
      CompareValues(field.type, *stats->second.max, *bounds.min) == std::strong_ordering::less) {
    return false;
  }
  return !(stats->second.min && bounds.max &&
           CompareValues(field.type, *stats->second.min, *bounds.max) == std::strong_ordering::greater);
}

}  // namespace

TableInput InputOf(const Snapshot& snapshot, const std::string& schema, const std::string& name,
                   const std::vector<const LiveFile*>& files, const std::string& root, bool with_origin) {
  TableInput input{schema, name, snapshot.schema, {}, with_origin};
  for (const LiveFile* file : files) input.files.push_back(root + "/" + file->path);
  return input;
}

std::vector<const LiveFile*> FilesNamedBy(const Snapshot& snapshot, const std::string& root, const Rows& rows) {
  std::vector<const LiveFile*> files;
  for (const auto& row : rows.rows) {
    if (row.empty() || !row[0] || !row[0]->starts_with(root + "/")) continue;
    const LiveFile* file = snapshot.Find(std::string_view(*row[0]).substr(root.size() + 1));
    if (file != nullptr) files.push_back(file);
  }
  return files;
}

std::vector<const LiveFile*> FilesInBounds(const Snapshot& snapshot, const std::map<std::string, ColumnStats>& bounds) {
  std::vector<std::pair<const Field*, const ColumnStats*>> columns;
  for (const auto& [name, stats] : bounds) {
    if (const Field* field = snapshot.schema.Find(name)) columns.emplace_back(field, &stats);
  }
  std::vector<const LiveFile*> files;
  DeltaStatsReader reader(snapshot.schema);
  for (const LiveFile& file : snapshot.files) {
    DeltaStats known;
    if (file.stats) {
      auto read = reader.Read(*file.stats);
      if (read) known = std::move(*read);  // broken ones say nothing: the file stays
    }
    bool possible = std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
      return MayHold(file, known.columns, *column.first, *column.second);
    });
    if (possible) files.push_back(&file);
  }
  return files;
}

void AddKeySearch(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& candidates,
                  const std::string& root, const ChangeSet& changes, const std::string& name) {
  std::string files = AddInput(job, snapshot, candidates, root, name + "_files");
  job.steps.push_back(FilesQuery(name,
                                 fmt::format("SELECT t.{0}, count(*) AS matched FROM {1} t SEMI JOIN {2} c ON {3} GROUP BY "
                                             "t.{0} ORDER BY t.{0}",
                                             kOriginColumn, files, QuoteIdentifier(changes.view), SameKey(changes.key, "t", "c")),
                                candidates.size()));
}

void AddRewrite(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
                const std::string& root, const ChangeSet& changes, const std::string& folder) {
  std::string view = QuoteIdentifier(changes.view);
  std::string kept = changes.has_deleted ? " AND c._deleted IS NOT TRUE" : "";
  std::string not_there;
  if (!touched.empty()) {
    std::string files = AddInput(job, snapshot, touched, root, "rewrite_files");
    std::string keys;
    for (const std::string& column : changes.key) keys += Of("c", column) + ", ";
    // The keys that are there, each with its file: one pass over the key columns.
    job.steps.push_back(Step::Run(
        std::string(kMatched),
        fmt::format("CREATE TEMP TABLE {} AS SELECT {}{} AS {}, {} AS _caudal_moved FROM {} t JOIN {} c ON {}", kMatched,
                    keys, NumberOfFile(touched, root, "t"), kFileColumn, MovedAway(snapshot, changes.key), files, view,
                    SameKey(changes.key, "t", "c"))));
    // One old file has one new version, whatever its size: more would need more names. Splitting by file costs a copy.
    const bool one = touched.size() == 1;
    // The rows that stay, which the anti join passes through untouched, and the new versions of those that do not.
    Step rewritten = WriteStep(
        snapshot, "rewritten",
        fmt::format("SELECT {}, {} AS {} FROM {} t ANTI JOIN {} c ON {}\nUNION ALL\nSELECT {}, m.{} FROM {} c JOIN {} m ON "
                    "{} WHERE NOT m._caudal_moved{}",
                    StoredColumns(snapshot, "t"), NumberOfFile(touched, root, "t"), kFileColumn, files, view,
                    SameKey(changes.key, "t", "c"), StoredColumns(snapshot, "c"), kFileColumn, view, kMatched,
                    SameKey(changes.key, "c", "m"), kept),
        folder);
    if (one) {
      rewritten.layout.target_file_bytes = std::numeric_limits<std::int64_t>::max();
    } else {
      rewritten.layout.file_by = kFileColumn;
    }
    job.steps.push_back(std::move(rewritten));
    not_there = fmt::format(" ANTI JOIN (SELECT * FROM {} WHERE NOT _caudal_moved) m ON {}", kMatched,
                            SameKey(changes.key, "c", "m"));
  }
  Step inserted = WriteStep(
      snapshot, "inserted",
      fmt::format("SELECT {} FROM {} c{} WHERE true{}", StoredColumns(snapshot, "c"), view, not_there, kept), folder);
  inserted.layout.partition_by = snapshot.partition_columns;
  job.steps.push_back(std::move(inserted));
}

void AddPredicateSearch(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& candidates,
                        const std::string& root, const std::string& predicate, const std::string& name) {
  std::string files = AddInput(job, snapshot, candidates, root, name + "_files");
  job.steps.push_back(FilesQuery(name,
                                 fmt::format("SELECT {0}, count(*) AS matched FROM {1} WHERE (\n{2}\n) GROUP BY {0} ORDER "
                                             "BY {0}", kOriginColumn, files, predicate),
                                candidates.size()));
}

void AddDelete(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
               const std::string& root, const std::string& predicate, const std::string& folder) {
  std::string files = AddInput(job, snapshot, touched, root, "rewrite_files");
  Step rewritten = WriteStep(snapshot, "rewritten",
                             fmt::format("SELECT {}, {} AS {} FROM {} t WHERE (\n{}\n) IS NOT TRUE",
                                         StoredColumns(snapshot, "t"), NumberOfFile(touched, root, "t"), kFileColumn, files,
                                         predicate),
                             folder);
  rewritten.layout.file_by = kFileColumn;
  job.steps.push_back(std::move(rewritten));
}

Change ChangeOfRewrite(const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
                       const ComputeResult& result) {
  Change change;
  change.base_version = snapshot.version;
  const StepResult* inserted = result.Find("inserted");
  change.operation = inserted != nullptr ? "MERGE" : "DELETE";
  change.kind = inserted != nullptr ? ChangeKind::kUpsert : ChangeKind::kDelete;
  for (const LiveFile* file : touched) change.removes.push_back(file->path);
  if (const StepResult* rewritten = result.Find("rewritten")) {
    for (const WrittenFile& file : rewritten->files) {
      AddFile add{file, ""};
      std::size_t number = touched.size() == 1 ? 0 : touched.size();
      auto it = file.partition.find(std::string(kFileColumn));
      if (it != file.partition.end() && it->second) {
        std::from_chars(it->second->data(), it->second->data() + it->second->size(), number);
      }
      CHECK(number < touched.size(), "a rewritten file says which file it carries on");
      add.file.partition = touched[number]->partition;
      add.rewrites = touched[number]->path;
      change.adds.push_back(std::move(add));
    }
  }
  if (inserted != nullptr) {
    for (const WrittenFile& file : inserted->files) change.adds.push_back(AddFile{file, ""});
  }
  return change;
}

}  // namespace caudal
