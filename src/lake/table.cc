#include "lake/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/json.h"
#include "lake/change_plan.h"
#include "lake/faces/faces.h"
#include "lake/log.h"
#include "lake/log_names.h"
#include "lake/retention.h"

namespace caudal {
namespace {

constexpr const char* kLastCheckpoint = "/_delta_log/_last_checkpoint";

CommitRecord RecordOf(const LogEntry& entry) {
  CommitRecord record;
  record.version = entry.version;
  record.time = entry.time;
  record.instant = entry.instant;
  record.operation = entry.operation;
  record.change = entry.kind;
  record.task = entry.task;
  record.files_added = static_cast<std::int64_t>(entry.adds.size());
  record.files_removed = static_cast<std::int64_t>(entry.removes.size());
  std::set<std::map<std::string, Cell>> partitions;
  for (const LiveFile& add : entry.adds) {
    record.rows_added += add.rows;
    record.added_paths.push_back(add.path);
    partitions.insert(add.partition);
  }
  for (const LogRemove& remove : entry.removes) {
    record.rows_removed += remove.rows;
    record.removed_paths.push_back(remove.path);
    partitions.insert(remove.partition);
  }
  record.partitions.assign(partitions.begin(), partitions.end());
  record.raw = entry.raw;
  record.counts = entry.counts;
  record.note = entry.note;
  return record;
}

}  // namespace

Table::Table(ObjectStore& store, std::string prefix, const Clock& clock, TableFormats formats)
    : x_store(store), x_prefix(std::move(prefix)), x_clock(clock), x_formats(formats), x_log(std::make_shared<Log>(store, x_prefix)) {}

Result<std::shared_ptr<const Snapshot>> Table::Latest() const { return x_log->Latest(); }

Result<std::shared_ptr<const Snapshot>> Table::At(std::int64_t version) const {
  TRY_ASSIGN(auto snapshot, x_log->At(version));
  TRY_ASSIGN(auto newest, Latest());
  TRY_ASSIGN(const bool kept, IsKept(*newest, version));
  if (kept) return snapshot;
  return Error{ErrorKind::kNotFound, fmt::format("version {} of {} was purged", version, newest->name),
               fmt::format("choose one from {} on, or a savepoint", HorizonOf(*newest)), ""};
}

Result<std::int64_t> Table::VersionAt(Timestamp time) const {
  TRY_ASSIGN(auto latest, Latest());
  if (time >= latest->time) return latest->version;
  TRY_ASSIGN(auto first, x_log->Entry(0));
  if (time < first->time) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("{} did not exist at {}; its first version is of {}", x_prefix,
                                                          FormatTimestamp(time), FormatTimestamp(first->time)), "", ""};
  }
  std::int64_t low = 0, high = latest->version;  // time of low <= time < time of high; times only grow
  while (high - low > 1) {
    std::int64_t middle = low + (high - low) / 2;
    TRY_ASSIGN(auto entry, x_log->Entry(middle));
    (entry->time <= time ? low : high) = middle;
  }
  return low;
}

Result<std::vector<CommitRecord>> Table::History(std::int64_t from, std::int64_t to) const {
  TRY_ASSIGN(auto latest, Latest());
  if (to > latest->version) {
    return Error{ErrorKind::kNotFound, fmt::format("{} has no version {}; the newest is {}", x_prefix, to, latest->version),
                 "", ""};
  }
  std::vector<CommitRecord> records;
  for (std::int64_t version = std::max<std::int64_t>(from, -1) + 1; version <= to; ++version) {
    TRY_ASSIGN(auto entry, x_log->Entry(version));
    records.push_back(RecordOf(*entry));
  }
  return records;
}

Result<std::string> Table::FormatsBehind() const {
  TRY_ASSIGN(auto newest, Latest());
  TRY_ASSIGN(auto entry, x_log->Entry(newest->version));
  return caudal::FormatsBehind(x_store, x_prefix, *entry, x_formats);
}

Result<std::vector<std::string>> Table::CheckFormats() const {
  TRY_ASSIGN(auto newest, Latest());
  return caudal::CheckFormats(x_store, x_prefix, *x_log, *newest, x_formats);
}

Result<std::int64_t> Table::LastCheckpoint() const {
  auto text = x_store.Get(x_prefix + kLastCheckpoint);
  if (!text && text.error().kind == ErrorKind::kNotFound) return 0;
  if (!text) return std::move(text).error();
  auto json = ParseJson(*text, "_last_checkpoint");
  return json ? JsonInt(*json, "version", 0) : 0;  // what is torn is written anew
}

Status Table::PutCheckpoint(std::int64_t version, const std::string& local_path, std::int64_t actions) {
  auto put = x_store.PutFileIfAbsent(fmt::format("{}/_delta_log/{:020}.checkpoint.parquet", x_prefix, version), local_path);
  if (!put && put.error().kind != ErrorKind::kAlreadyExists) return put;
  return x_store.Put(x_prefix + kLastCheckpoint, DumpJson(Json{{"version", version}, {"size", actions}}));
}

Table Table::Rejects() const { return Table(x_store, RejectsPrefix(x_prefix), x_clock); }

Result<std::shared_ptr<const Snapshot>> Table::RejectsAt(const Snapshot& snapshot) {
  const auto domain = snapshot.domains.find(std::string(kRejectsDomain));
  if (domain == snapshot.domains.end()) return std::shared_ptr<const Snapshot>();
  TRY_ASSIGN(const Json last, ParseJson(domain->second, "domain caudal.rejects"));
  const std::int64_t version = JsonInt(last, "version", -1);
  const auto latest = Rejects().Latest();
  if (!latest && latest.error().kind != ErrorKind::kNotFound) return latest.error();
  if (!latest || (*latest)->version < version) TRY(Heal());
  return Rejects().At(version);
}

std::string Table::KeyOf(const LiveFile& file) const { return x_prefix + "/" + file.path; }

Schema RejectSchema() {
  auto text = [](const char* name) { return Field{name, Type{TypeKind::kVarchar, 0, 0, {}}, 0}; };
  Schema schema;
  schema.fields = {text("_reason"), text("_column"),      text("_value"),
                   text("_row"),    text("_source_file"), Field{"_source_row", Type{TypeKind::kBigint, 0, 0, {}}, 0},
                   text("_task"),   Field{"_rejected_at", Type{TypeKind::kTimestamptz, 0, 0, {}}, 0}};
  std::int32_t max_id = 0;
  AssignFieldIds(Schema(), schema, max_id);
  return schema;
}

}  // namespace caudal
