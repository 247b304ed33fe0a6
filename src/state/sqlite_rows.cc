#include "state/sqlite_rows.h"

#include <array>

#include "state/process_id.h"

namespace caudal {
namespace {

constexpr int kSchemaVersion = 3;

constexpr const char* kFirstVersion = R"(
CREATE TABLE run (
  id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, release TEXT NOT NULL, command TEXT NOT NULL, status TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, process TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX run_running ON run(pipeline) WHERE status = 'running';
CREATE TABLE task (
  run TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, attempt INTEGER NOT NULL, started INTEGER, ended INTEGER,
  error_kind TEXT NOT NULL, error TEXT NOT NULL, error_next TEXT NOT NULL, version INTEGER NOT NULL,
  rows_read INTEGER NOT NULL, rows_written INTEGER NOT NULL, rows_rejected INTEGER NOT NULL,
  bytes_written INTEGER NOT NULL, peak_memory INTEGER NOT NULL, cpu_ms INTEGER NOT NULL, note TEXT NOT NULL,
  staged TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE verdict (
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, tbl TEXT NOT NULL, chk TEXT NOT NULL, verdict TEXT NOT NULL,
  failing_rows INTEGER NOT NULL, observed TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX verdict_table ON verdict(tbl, id);
CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, run TEXT NOT NULL,
  task TEXT NOT NULL, body TEXT NOT NULL);
)";

constexpr const char* kSecondVersion = R"(
ALTER TABLE run ADD COLUMN cause TEXT NOT NULL DEFAULT 'hand';
ALTER TABLE run ADD COLUMN scheduled INTEGER;
ALTER TABLE run ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_pipeline ON run(pipeline, started);
CREATE INDEX verdict_run ON verdict(run);
CREATE TABLE schedule (
  pipeline TEXT PRIMARY KEY, handled INTEGER, deadline INTEGER, succeeded INTEGER NOT NULL DEFAULT 0,
  followed INTEGER NOT NULL DEFAULT 0, paused INTEGER, spec TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE TABLE alert_cursor (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL);
CREATE TABLE alert_subject (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alert (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL,
  status TEXT NOT NULL, tries INTEGER NOT NULL, next_try INTEGER NOT NULL, ended INTEGER, error TEXT NOT NULL,
  UNIQUE (channel, key));
CREATE INDEX alert_waiting ON alert(channel, next_try) WHERE status = 'waiting';
PRAGMA user_version = 2;
)";

constexpr const char* kThirdVersion = R"(
CREATE INDEX run_started ON run(started, id);
CREATE INDEX run_status ON run(status, started, id);
CREATE INDEX task_name ON task(name, run);
CREATE TABLE user (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created INTEGER NOT NULL, last_login INTEGER) WITHOUT ROWID;
CREATE TABLE token (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, created_by TEXT NOT NULL,
  expires INTEGER, last_used INTEGER) WITHOUT ROWID;
CREATE TABLE session (
  hash TEXT PRIMARY KEY, user TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setup_key (one INTEGER PRIMARY KEY CHECK (one = 1), hash TEXT NOT NULL, until INTEGER NOT NULL);
PRAGMA user_version = 3;
)";

constexpr std::array<std::string_view, 7> kTaskNames{"waiting", "running", "succeeded", "unchanged",
                                                     "failed",  "blocked", "cancelled"};
constexpr std::array<std::string_view, 5> kRunNames{"running", "succeeded", "failed", "cancelled", "interrupted"};

template <typename E, std::size_t N>
E FromName(std::string_view name, const std::array<std::string_view, N>& names, E fallback) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return fallback;
}

}  // namespace

std::string_view TaskStatusName(TaskStatus status) { return kTaskNames[static_cast<std::size_t>(status)]; }

std::string_view RunStatusName(RunStatus status) { return kRunNames[static_cast<std::size_t>(status)]; }

std::int64_t Micros(Timestamp t) { return t.time_since_epoch().count(); }

std::optional<std::int64_t> Micros(const std::optional<Timestamp>& t) {
  if (!t) return std::nullopt;
  return Micros(*t);
}

Timestamp FromMicros(std::int64_t us) { return Timestamp{std::chrono::microseconds{us}}; }

std::optional<Timestamp> FromMicros(std::optional<std::int64_t> us) {
  if (!us) return std::nullopt;
  return FromMicros(*us);
}

std::string RunColumns(const SqliteFile& file) {
  return std::string("id, pipeline, release, command, status, started, ended, process, ") +
         (file.version < 2 ? "'hand', NULL, 0" : "cause, scheduled, resumed");
}

RunRecord ReadRun(const Statement& row) {
  RunRecord run;
  run.id = row.Text(0);
  run.pipeline = row.Text(1);
  run.release = row.Text(2);
  run.command = row.Text(3);
  run.status = FromName(row.Text(4), kRunNames, RunStatus::kFailed);
  run.started = FromMicros(row.Number(5));
  run.ended = FromMicros(row.Optional(6));
  run.holder = row.Text(7);
  run.cause = row.Text(8);
  run.scheduled = FromMicros(row.Optional(9));
  run.resumed = static_cast<int>(row.Number(10));
  if (run.status == RunStatus::kRunning && !ProcessLives(run.holder)) run.status = RunStatus::kInterrupted;
  return run;
}

TaskRecord ReadTask(const Statement& row) {
  TaskRecord t;
  t.run = row.Text(0);
  t.name = row.Text(1);
  t.status = FromName(row.Text(2), kTaskNames, TaskStatus::kFailed);
  t.attempt = static_cast<int>(row.Number(3));
  t.started = FromMicros(row.Optional(4));
  t.ended = FromMicros(row.Optional(5));
  t.error_kind = row.Text(6);
  t.error = row.Text(7);
  t.error_next = row.Text(8);
  t.version = row.Number(9);
  t.rows_read = row.Number(10);
  t.rows_written = row.Number(11);
  t.rows_rejected = row.Number(12);
  t.bytes_written = row.Number(13);
  t.peak_memory_bytes = row.Number(14);
  t.cpu_ms = row.Number(15);
  t.note = row.Text(16);
  t.staged = row.Text(17);
  return t;
}

CheckRecord ReadCheck(const Statement& r) {
  return CheckRecord{r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Number(4), r.Text(5), r.Text(6), FromMicros(r.Number(7))};
}

Result<std::int64_t> PutEvent(Database& database, const EventRecord& e) {
  TRY_ASSIGN(auto insert, database.Prepare("INSERT INTO event(at, kind, run, task, body) VALUES (?, ?, ?, ?, ?) RETURNING sequence"));
  insert.Bind(Micros(e.at)).Bind(e.kind).Bind(e.run).Bind(e.task).Bind(e.body);
  TRY_ASSIGN([[maybe_unused]] const bool row, insert.Step());
  const std::int64_t sequence = insert.Number(0);
  TRY_ASSIGN([[maybe_unused]] const bool more, insert.Step());
  return sequence;
}

Status TouchSchedule(Database& database, const std::string& pipeline) {
  TRY_ASSIGN(auto insert, database.Prepare("INSERT OR IGNORE INTO schedule(pipeline) VALUES (?)"));
  return insert.Bind(pipeline).Run();
}

Status PrepareTables(SqliteFile& file, bool writable) {
  TRY_ASSIGN(auto version, file.database->Prepare("PRAGMA user_version"));
  TRY_ASSIGN([[maybe_unused]] const bool row, version.Step());
  file.version = static_cast<int>(version.Number(0));
  if (file.version > kSchemaVersion) {
    return Error{ErrorKind::kUnsupported, "the state store was written by a newer Caudal", "use that version", ""};
  }
  version = Statement();  // an open statement would hold up what follows
  if (file.version == 0) TRY(file.database->Execute(kFirstVersion));
  const bool empty = file.version == 0;
  if (file.version == kSchemaVersion || (!empty && !writable)) return {};
  if (file.version < 2) TRY(file.database->Execute(kSecondVersion));
  TRY(file.database->Execute(kThirdVersion));
  file.version = kSchemaVersion;
  return {};
}

}  // namespace caudal
