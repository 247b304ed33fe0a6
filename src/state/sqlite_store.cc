#include <filesystem>
#include <mutex>

#include "state/process_id.h"
#include "state/sqlite_access_store.h"
#include "state/sqlite_alert_store.h"
#include "state/sqlite_history_store.h"
#include "state/sqlite_rows.h"
#include "state/sqlite_schedule_store.h"

namespace caudal {
namespace {

class SqliteStore final : public StateStore {
 public:
  explicit SqliteStore(std::unique_ptr<Database> database)
      : x_file{std::move(database), {}, 0}, x_database(x_file.database.get()), x_mutex(x_file.mutex),
        x_schedules(MakeSqliteScheduleStore(x_file)), x_alerts(MakeSqliteAlertStore(x_file)),
        x_history(MakeSqliteHistoryStore(x_file)), x_access(MakeSqliteAccessStore(x_file)) {}

  Status Prepare() {
    TRY(x_database->Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"));
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    TRY(PrepareTables(x_file, true));
    return transaction.Commit();
  }

  /// The same where nothing can be written; a file that does not exist is a database in memory.
  Status PrepareToRead() {
    TRY(PrepareTables(x_file, false));
    return x_database->Execute("SELECT count(*) FROM run; PRAGMA query_only = ON;");
  }

  Result<std::int64_t> Changes() const override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto version, x_database->Prepare("PRAGMA data_version"));  // of the others' commits
    TRY(version.Step());
    return version.Number(0) * (std::int64_t{1} << 32) + x_database->Changed();
  }

  ScheduleStore& schedules() override { return *x_schedules; }
  AlertStore& alerts() override { return *x_alerts; }
  HistoryStore& history() override { return *x_history; }
  AccessStore& access() override { return *x_access; }

  Status BeginRun(const RunRecord& run, const std::vector<TaskRecord>& tasks, const EventRecord& event) override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    TRY(RefuseSecondRun(run.pipeline));
    TRY_ASSIGN(auto insert, x_database->Prepare("INSERT INTO run VALUES (?, ?, ?, ?, 'running', ?, NULL, ?, ?, ?, 0)"));
    TRY(insert.Bind(run.id).Bind(run.pipeline).Bind(run.release).Bind(run.command).Bind(Micros(run.started))
            .Bind(ThisProcess()).Bind(run.cause).Bind(Micros(run.scheduled)).Run());
    TRY(TouchSchedule(*x_database, run.pipeline));
    TRY_ASSIGN(auto done, x_database->Prepare("UPDATE schedule SET handled = coalesce(?2, handled), followed = max(followed, ?3) WHERE pipeline = ?1"));
    TRY(done.Bind(run.pipeline).Bind(Micros(run.scheduled)).Bind(run.followed).Run());
    for (const TaskRecord& task : tasks) TRY(PutTask(task));
    TRY(PutEvent(*x_database, event));
    return transaction.Commit();
  }

  Status ReopenRun(const std::string& id, const EventRecord& event) override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    TRY_ASSIGN(RunRecord run, FindRun(id));
    TRY(RefuseSecondRun(run.pipeline));
    TRY_ASSIGN(auto update, x_database->Prepare("UPDATE run SET status = 'running', ended = NULL, process = ?, resumed = resumed + 1 WHERE id = ?"));
    TRY(update.Bind(ThisProcess()).Bind(id).Run());
    TRY(PutEvent(*x_database, event));
    return transaction.Commit();
  }

  Status EndRun(const std::string& id, RunStatus status, Timestamp at, const EventRecord& event) override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    TRY_ASSIGN(auto update, x_database->Prepare("UPDATE run SET status = ?, ended = ? WHERE id = ?"));
    TRY(update.Bind(RunStatusName(status)).Bind(Micros(at)).Bind(id).Run());
    TRY_ASSIGN(const std::int64_t sequence, PutEvent(*x_database, event));
    if (status == RunStatus::kSucceeded) {
      TRY_ASSIGN(const RunRecord run, FindRun(id));
      TRY(TouchSchedule(*x_database, run.pipeline));
      TRY_ASSIGN(auto note, x_database->Prepare("UPDATE schedule SET succeeded = ? WHERE pipeline = ?"));
      TRY(note.Bind(sequence).Bind(run.pipeline).Run());
    }
    return transaction.Commit();
  }

  Status SaveTask(const TaskRecord& task, const EventRecord& event) override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    TRY(PutTask(task));
    TRY(PutEvent(*x_database, event));
    return transaction.Commit();
  }

  Status SaveChecks(const std::vector<CheckRecord>& checks) override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_database));
    for (const CheckRecord& c : checks) {
      TRY_ASSIGN(auto insert, x_database->Prepare(
          "INSERT INTO verdict(run, tbl, chk, verdict, failing_rows, observed, message, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
      TRY(insert.Bind(c.run).Bind(c.table).Bind(c.check).Bind(c.verdict).Bind(c.failing_rows).Bind(c.observed)
              .Bind(c.message).Bind(Micros(c.at)).Run());
    }
    return transaction.Commit();
  }

  Result<RunRecord> Run(const std::string& id) const override {
    std::lock_guard lock(x_mutex);
    return FindRun(id);
  }

  Result<std::vector<RunRecord>> Runs(int limit) const override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto select, x_database->Prepare("SELECT " + RunColumns(x_file) + " FROM run ORDER BY started DESC, id DESC LIMIT ?"));
    select.Bind(std::int64_t{limit});
    return Collect<RunRecord>(select, ReadRun);
  }

  Result<std::vector<TaskRecord>> Tasks(const std::string& run) const override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto select, x_database->Prepare("SELECT " + std::string(kTaskColumns) + " FROM task WHERE run = ? ORDER BY name"));
    select.Bind(run);
    return Collect<TaskRecord>(select, ReadTask);
  }

  Result<std::vector<CheckRecord>> Checks(const std::string& table, int limit) const override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto select, x_database->Prepare(std::string("SELECT ") + kCheckColumns +
                                                " FROM verdict WHERE ?1 = '' OR tbl = ?1 ORDER BY id DESC LIMIT ?2"));
    select.Bind(table).Bind(std::int64_t{limit});
    return Collect<CheckRecord>(select, ReadCheck);
  }

  Result<std::vector<EventRecord>> Events(std::int64_t after, int limit) const override {
    std::lock_guard lock(x_mutex);
    TRY_ASSIGN(auto select, x_database->Prepare(
        "SELECT sequence, at, kind, run, task, body FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?"));
    select.Bind(after).Bind(std::int64_t{limit});
    return Collect<EventRecord>(select, [](const Statement& r) {
      return EventRecord{r.Number(0), FromMicros(r.Number(1)), r.Text(2), r.Text(3), r.Text(4), r.Text(5)};
    });
  }

 private:
  Result<RunRecord> FindRun(const std::string& id) const {
    TRY_ASSIGN(auto select, x_database->Prepare("SELECT " + RunColumns(x_file) + " FROM run WHERE id = ?"));
    select.Bind(id);
    TRY_ASSIGN(bool row, select.Step());
    if (!row) return Error{ErrorKind::kNotFound, "no run has the id '" + id + "'", "`caudal history` lists the runs", ""};
    return ReadRun(select);
  }

  /// A pipeline's running run is refused by name; one whose process is gone is marked and given up.
  Status RefuseSecondRun(const std::string& pipeline) {
    TRY_ASSIGN(auto select, x_database->Prepare("SELECT id, process FROM run WHERE pipeline = ? AND status = 'running'"));
    select.Bind(pipeline);
    std::vector<std::string> gone;
    for (;;) {
      TRY_ASSIGN(bool row, select.Step());
      if (!row) break;
      if (ProcessLives(select.Text(1))) {
        return Error{ErrorKind::kConflict,
                     "pipeline '" + pipeline + "' is running already: run " + select.Text(0) + ", process " +
                         PidOf(select.Text(1)),
                     "`caudal run --wait` begins when it ends; Ctrl-C there stops it", ""};
      }
      gone.push_back(select.Text(0));
    }
    for (const std::string& id : gone) {
      TRY_ASSIGN(auto update, x_database->Prepare("UPDATE run SET status = 'interrupted' WHERE id = ?"));
      TRY(update.Bind(id).Run());
    }
    return {};
  }

  Status PutTask(const TaskRecord& t) {
    TRY_ASSIGN(auto put, x_database->Prepare("INSERT OR REPLACE INTO task(" + std::string(kTaskColumns) +
                                             ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    return put.Bind(t.run).Bind(t.name).Bind(TaskStatusName(t.status)).Bind(std::int64_t{t.attempt})
        .Bind(Micros(t.started)).Bind(Micros(t.ended)).Bind(t.error_kind).Bind(t.error).Bind(t.error_next)
        .Bind(t.version).Bind(t.rows_read).Bind(t.rows_written).Bind(t.rows_rejected).Bind(t.bytes_written)
        .Bind(t.peak_memory_bytes).Bind(t.cpu_ms).Bind(t.note).Bind(t.staged).Run();
  }

  mutable SqliteFile x_file;
  Database* x_database;  // of x_file, as the mutex
  std::mutex& x_mutex;
  std::unique_ptr<ScheduleStore> x_schedules;
  std::unique_ptr<AlertStore> x_alerts;
  std::unique_ptr<HistoryStore> x_history;
  std::unique_ptr<AccessStore> x_access;
};

namespace fs = std::filesystem;

Result<std::unique_ptr<StateStore>> OpenToWrite(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) {
    return Error{ErrorKind::kPermission, "cannot create the folder of the state store " + path + ": " + error.message(),
                 "make the project folder writable", ""};
  }
  TRY_ASSIGN(auto database, Database::Open(path, Access::kWrite));
  auto store = std::make_unique<SqliteStore>(std::move(database));
  TRY(store->Prepare());
  return std::unique_ptr<StateStore>(std::move(store));
}

/// Who only looks needs no right to write.
Result<std::unique_ptr<StateStore>> OpenToRead(const std::string& path, Error why_not_written) {
  std::error_code error;
  std::vector<Access> ways = {Access::kRead};
  if (!fs::exists(path, error)) {
    // What cannot even be looked for is no empty store.
    if (error) return why_not_written;
    ways = {Access::kEmpty};
  } else if (!fs::exists(path + "-wal", error) || fs::file_size(path + "-wal", error) == 0) {
    ways.push_back(Access::kFrozen);
  }
  for (const Access way : ways) {
    auto database = Database::Open(path, way);
    if (!database) continue;
    auto store = std::make_unique<SqliteStore>(*std::move(database));
    if (store->PrepareToRead()) return std::unique_ptr<StateStore>(std::move(store));
  }
  if (ways.size() == 1 && ways[0] == Access::kRead) {
    why_not_written.next = "a run was killed and left what only a writer can read: make the folder writable, or copy the project";
  }
  return why_not_written;
}

}  // namespace

Result<std::unique_ptr<StateStore>> MakeSqliteStore(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    return Error{ErrorKind::kInvalidArgument, "a file stands where the folder of the state store should be: " + folder.string(),
                 "move it away", ""};
  }
  auto writable = OpenToWrite(path);
  if (writable || writable.error().kind != ErrorKind::kPermission) return writable;
  return OpenToRead(path, std::move(writable).error());
}

}  // namespace caudal
