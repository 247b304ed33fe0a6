#include "flow/source_status.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "connect/source.h"
#include "flow/runner.h"
#include "state/history_store.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

// How far back a load that brought rows is looked for.
constexpr std::int64_t kWindow = 20, kVersions = 200;

bool BroughtRows(const CommitRecord& commit) {
  return commit.counts && commit.counts->written > 0 && commit.change != ChangeKind::kNone && commit.operation != "REBUILD";
}

/// Reads the log from its end, no further than it must.
Result<std::optional<LoadSeen>> LastLoad(const Table& table, std::int64_t newest) {
  for (std::int64_t to = newest; to >= 0 && to > newest - kVersions; to -= kWindow) {
    auto commits = table.History(std::max<std::int64_t>(to - kWindow, -1), to);
    // What a purge took is no failure: older loads are not known then.
    if (!commits && commits.error().kind == ErrorKind::kNotFound) break;
    if (!commits) return std::move(commits).error();
    for (auto commit = commits->rbegin(); commit != commits->rend(); ++commit) {
      if (BroughtRows(*commit)) return std::optional(LoadSeen{commit->time, commit->version, commit->counts->written});
    }
  }
  return std::optional<LoadSeen>();
}

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
    TRY_ASSIGN(status.last_load, LastLoad(table, snapshot->version));
    status.drift = RememberedDrift(snapshot->domains);
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
    status.drift.insert(status.drift.end(), stream.drift.begin(), stream.drift.end());
  }
  std::stable_sort(status.drift.begin(), status.drift.end(), [](const Drift& a, const Drift& b) { return a.since < b.since; });
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
