#include "state/sqlite_schedule_store.h"

namespace caudal {
namespace {

class SqliteScheduleStore final : public ScheduleStore {
 public:
  explicit SqliteScheduleStore(SqliteFile& file) : x_file(file) {}

  Result<std::vector<ScheduleRecord>> Schedules() const override {
    const std::lock_guard lock(x_file.mutex);
    if (x_file.version < 2) return std::vector<ScheduleRecord>{};
    TRY_ASSIGN(auto select, x_file.database->Prepare(
        "SELECT pipeline, handled, deadline, succeeded, followed, paused, spec FROM schedule ORDER BY pipeline"));
    return Collect<ScheduleRecord>(select, [](const Statement& r) {
      return ScheduleRecord{r.Text(0),   FromMicros(r.Optional(1)), FromMicros(r.Optional(2)),
                            r.Number(3), r.Number(4),               FromMicros(r.Optional(5)), r.Text(6)};
    });
  }

  Status Meet(const std::string& pipeline, const std::string& spec, Timestamp now) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_file.database));
    TRY(TouchSchedule(*x_file.database, pipeline));
    TRY_ASSIGN(auto update, x_file.database->Prepare(
        "UPDATE schedule SET spec = ?2, followed = CASE WHEN handled IS NULL THEN (SELECT coalesce(max(sequence), 0) FROM event) "
        "ELSE followed END, handled = ?3 WHERE pipeline = ?1"));
    TRY(update.Bind(pipeline).Bind(spec).Bind(Micros(now)).Run());
    return transaction.Commit();
  }

  Status Handle(const std::string& pipeline, Timestamp through, const std::vector<EventRecord>& told) override {
    return Change(pipeline, "UPDATE schedule SET handled = ?2 WHERE pipeline = ?1", through, told);
  }

  Status HandleDeadline(const std::string& pipeline, Timestamp deadline, const std::vector<EventRecord>& told) override {
    return Change(pipeline, "UPDATE schedule SET deadline = ?2 WHERE pipeline = ?1", deadline, told);
  }

  Status SetPaused(const std::string& pipeline, std::optional<Timestamp> since, const EventRecord& told) override {
    if (since) return Change(pipeline, "UPDATE schedule SET paused = ?2 WHERE pipeline = ?1", since, {told});
    return Change(pipeline, "UPDATE schedule SET paused = NULL, handled = max(coalesce(handled, ?2), ?2) WHERE pipeline = ?1", told.at, {told});
  }

  Status Tell(const EventRecord& event) override {
    const std::lock_guard lock(x_file.mutex);
    TRY(PutEvent(*x_file.database, event));
    return {};
  }

  Result<std::optional<RunRecord>> LastRun(const std::string& pipeline) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, x_file.database->Prepare("SELECT " + RunColumns(x_file) +
                                                     " FROM run WHERE pipeline = ? ORDER BY started DESC, id DESC LIMIT 1"));
    select.Bind(pipeline);
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return std::optional<RunRecord>();
    return std::optional<RunRecord>(ReadRun(select));
  }

  Result<bool> SucceededSince(const std::string& pipeline, Timestamp since) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, x_file.database->Prepare(
        "SELECT 1 FROM run WHERE pipeline = ?1 AND status = 'succeeded' AND (started >= ?2 OR scheduled >= ?2) LIMIT 1"));
    select.Bind(pipeline).Bind(Micros(since));
    return select.Step();
  }

 private:
  Status Change(const std::string& pipeline, const char* update, std::optional<Timestamp> time, const std::vector<EventRecord>& told) {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(*x_file.database));
    TRY(TouchSchedule(*x_file.database, pipeline));
    TRY_ASSIGN(auto statement, x_file.database->Prepare(update));
    TRY(statement.Bind(pipeline).Bind(Micros(time)).Run());
    for (const EventRecord& event : told) TRY(PutEvent(*x_file.database, event));
    return transaction.Commit();
  }

  SqliteFile& x_file;
};

}  // namespace

std::unique_ptr<ScheduleStore> MakeSqliteScheduleStore(SqliteFile& file) { return std::make_unique<SqliteScheduleStore>(file); }

}  // namespace caudal
