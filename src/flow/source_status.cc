#include "flow/source_status.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "connect/source.h"
#include "data/name.h"
#include "data/reserved_name.h"
#include "flow/runner.h"
#include "state/history_store.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

// How far back a load that brought rows, and a change of columns, is looked for.
constexpr std::int64_t kWindow = 20, kVersions = 200;

std::string ChangeOf(const Field& before, const Field& after) {
  return after.name + " " + before.type.ToSql() + " -> " + after.type.ToSql();
}

std::vector<std::string> ColumnChanges(const Schema& before, const Schema& after) {
  std::vector<std::string> changes;
  for (const Field& field : after.fields) {
    if (IsReservedColumn(field.name)) continue;
    const Field* old = before.Find(field.name);
    if (old == nullptr) {
      changes.push_back("+" + field.name + " " + field.type.ToSql());
    } else if (old->type.ToSql() != field.type.ToSql()) {
      changes.push_back(ChangeOf(*old, field));
    }
  }
  for (const Field& field : before.fields) {
    if (!IsReservedColumn(field.name) && after.Find(field.name) == nullptr) changes.push_back("-" + field.name);
  }
  return changes;
}

/// Reads the log from its end, no further than what is asked for.
class HistoryReader {
 public:
  HistoryReader(const Table& table, const Snapshot& newest) : x_table(table), x_newest(newest) {}

  Status Read(StreamStatus& status) const {
    TRY(LastLoad(status));
    return Drift(status);
  }

 private:
  static bool BroughtRows(const CommitRecord& commit) {
    return commit.counts && commit.counts->written > 0 && commit.change != ChangeKind::kNone && commit.operation != "REBUILD";
  }

  Status LastLoad(StreamStatus& status) const {
    for (std::int64_t to = x_newest.version; to >= 0 && to > x_newest.version - kVersions; to -= kWindow) {
      auto commits = x_table.History(std::max<std::int64_t>(to - kWindow, -1), to);
      // What a purge took is no failure: older loads are not known then.
      if (!commits) return commits.error().kind == ErrorKind::kNotFound ? Status() : Status(std::move(commits).error());
      for (auto commit = commits->rbegin(); commit != commits->rend(); ++commit) {
        if (!BroughtRows(*commit)) continue;
        status.last_load = LoadSeen{commit->time, commit->version, commit->counts->written};
        return {};
      }
    }
    return {};
  }

  /// Null: the version was purged.
  Result<std::shared_ptr<const Snapshot>> At(std::int64_t version) const {
    auto snapshot = x_table.At(version);
    if (snapshot) return *std::move(snapshot);
    if (snapshot.error().kind == ErrorKind::kNotFound) return std::shared_ptr<const Snapshot>();
    return std::move(snapshot).error();
  }

  bool AsNow(const Snapshot& snapshot) const { return ColumnChanges(snapshot.schema, x_newest.schema).empty(); }

  /// Columns change seldom: halving finds the version since which they are as now, reading few.
  Status Drift(StreamStatus& status) const {
    std::int64_t other = std::max<std::int64_t>(x_newest.version - kVersions, 0), same = x_newest.version;
    TRY_ASSIGN(const auto first, At(other));
    if (first && AsNow(*first)) return {};
    std::shared_ptr<const Snapshot> before = first;
    while (same - other > 1) {
      const std::int64_t middle = other + (same - other) / 2;
      TRY_ASSIGN(auto snapshot, At(middle));
      if (snapshot && AsNow(*snapshot)) {
        same = middle;
      } else {
        other = middle;
        before = std::move(snapshot);
      }
    }
    TRY_ASSIGN(const auto changed, At(same));
    // Where all that came before is purged, nobody knows what changed, or whether anything did.
    if (before && changed) status.drift = DriftSeen{changed->time, same, ColumnChanges(before->schema, changed->schema)};
    return {};
  }

  const Table& x_table;
  const Snapshot& x_newest;
};

SourceState StateOf(const StreamStatus& status, bool published, bool paused) {
  if (paused) return SourceState::kPaused;
  if (status.last_task && status.last_task->status == TaskStatus::kFailed) return SourceState::kFailed;
  if (!published) return SourceState::kNeverLoaded;
  if (status.freshness && (!status.lag || *status.lag > *status.freshness)) return SourceState::kLate;
  return SourceState::kOk;
}

int Gravity(SourceState state) {
  switch (state) {
    case SourceState::kFailed: return 4;
    case SourceState::kLate: return 3;
    case SourceState::kNeverLoaded: return 2;
    case SourceState::kPaused: return 1;
    case SourceState::kOk: return 0;
  }
  return 0;
}

}  // namespace

std::string_view SourceStateName(SourceState state) {
  switch (state) {
    case SourceState::kOk: return "ok";
    case SourceState::kLate: return "late";
    case SourceState::kFailed: return "failed";
    case SourceState::kNeverLoaded: return "never loaded";
    case SourceState::kPaused: return "paused";
  }
  return "";
}

Result<std::set<std::string>> PausedTables(const Workspace& workspace) {
  TRY_ASSIGN(const std::vector<ScheduleRecord> records, workspace.state.schedules().Schedules());
  std::set<std::string> paused;
  for (const ScheduleRecord& record : records) {
    if (record.paused) paused.insert(record.pipeline);
  }
  std::map<std::string, bool> tables;  // true: every pipeline of it is paused
  for (const PipelineConfig& pipeline : workspace.project.pipelines) {
    RunRequest request;
    request.pipeline = pipeline.name;
    const auto named = TablesOf(workspace.project, request);
    if (!named) continue;
    for (const std::string& table : *named) {
      const auto [entry, fresh] = tables.emplace(table, true);
      entry->second = entry->second && paused.contains(pipeline.name);
    }
  }
  std::set<std::string> all;
  for (const auto& [table, every] : tables) {
    if (every) all.insert(table);
  }
  return all;
}

Result<StreamStatus> StatusOfStream(const Workspace& workspace, const SourceConfig& source, const StreamConfig& stream,
                                    const Table& table, const Snapshot* snapshot, bool paused) {
  StreamStatus status;
  status.stream = stream.name;
  status.table = source.name + "." + stream.name;
  status.freshness = workspace.project.ExpectedOf(status.table).freshness;
  TRY_ASSIGN(auto tasks, workspace.state.history().TasksOf(status.table, 1));
  if (!tasks.empty()) status.last_task = std::move(tasks.front());
  if (snapshot != nullptr) {
    TRY(HistoryReader(table, *snapshot).Read(status));
    const auto cursor = snapshot->domains.find("cursor");
    if (cursor != snapshot->domains.end()) status.cursor = cursor->second;
  }
  if (status.last_load) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(workspace.clock.Now() - status.last_load->at);
    status.lag = std::max(age, std::chrono::milliseconds(0));
  }
  status.next = NextInWords(BuiltinRegistry(), source.type, stream.options, status.cursor);
  status.state = StateOf(status, snapshot != nullptr, paused);
  return status;
}

SourceStatus StatusOfSource(std::vector<StreamStatus> streams) {
  SourceStatus status;
  status.state = streams.empty() ? SourceState::kNeverLoaded : streams.front().state;
  for (const StreamStatus& stream : streams) {
    if (Gravity(stream.state) > Gravity(status.state)) status.state = stream.state;
    if (stream.last_load) {
      if (!status.last_load) status.last_load = LoadSeen{stream.last_load->at, 0, 0};
      status.last_load->at = std::max(status.last_load->at, stream.last_load->at);
      status.last_load->rows += stream.last_load->rows;
    }
    if (stream.lag) status.lag = std::max(status.lag.value_or(*stream.lag), *stream.lag);
    if (stream.freshness) status.freshness = std::min(status.freshness.value_or(*stream.freshness), *stream.freshness);
    if (stream.drift && (!status.drift || status.drift->at < stream.drift->at)) status.drift = stream.drift;
  }
  status.streams = std::move(streams);
  return status;
}

std::string AgeInWords(std::chrono::milliseconds age) {
  const std::int64_t minutes = std::chrono::duration_cast<std::chrono::minutes>(age).count();
  if (minutes < 60) return fmt::format("{}m", minutes);
  if (minutes < 24 * 60) return fmt::format("{}h{:02}m", minutes / 60, minutes % 60);
  return fmt::format("{}d{}h", minutes / (24 * 60), minutes / 60 % 24);
}

}  // namespace caudal
