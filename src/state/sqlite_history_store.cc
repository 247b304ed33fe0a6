#include "state/sqlite_history_store.h"

#include <algorithm>
#include <charconv>

namespace caudal {
namespace {

/// Rows that are fetched for a page at most, where a filter that SQL cannot apply throws some away.
constexpr int kMostFetched = 2000;
constexpr int kVerdictsLookedAt = 500;

struct PageStart {
  std::int64_t started = INT64_MAX;
  std::string id;
};

std::string CursorOf(const RunRecord& run) { return std::to_string(Micros(run.started)) + "." + run.id; }

Result<PageStart> ReadCursor(const std::string& cursor) {
  PageStart start;
  if (cursor.empty()) return start;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), start.started);
  if (error != std::errc() || end == cursor.data() + cursor.size() || *end != '.') {
    return Error{ErrorKind::kInvalidArgument, "no page of runs has this cursor", "take `next` of the page before as it is", "cursor"};
  }
  start.id = std::string(end + 1, cursor.data() + cursor.size());
  return start;
}

class SqliteHistoryStore final : public HistoryStore {
 public:
  explicit SqliteHistoryStore(SqliteFile& file) : x_file(file) {}

  Result<RunPage> Runs(const RunFilter& filter) const override {
    TRY_ASSIGN(PageStart start, ReadCursor(filter.cursor));
    RunPage page;
    // A run whose process is gone is kept as running and reads as interrupted: only here that is known.
    for (int fetched = 0; fetched < kMostFetched;) {
      TRY_ASSIGN(const std::vector<RunRecord> some, Fetch(filter, start));
      fetched += static_cast<int>(some.size());
      for (const RunRecord& run : some) {
        start = {Micros(run.started), run.id};
        if (filter.status && run.status != *filter.status) continue;
        page.runs.push_back(run);
        if (static_cast<int>(page.runs.size()) == filter.limit) {
          page.next = CursorOf(run);
          return page;
        }
      }
      if (static_cast<int>(some.size()) < filter.limit) return page;
    }
    page.next = std::to_string(start.started) + "." + start.id;
    return page;
  }

  Result<std::map<std::string, std::map<std::string, int>>> TaskCounts(const std::vector<std::string>& runs) const override {
    const std::lock_guard lock(x_file.mutex);
    // One statement for all: preparing one for each run costs more than reading.
    std::string marks;
    for (std::size_t i = 0; i < runs.size(); ++i) marks += i == 0 ? "?" : ", ?";
    TRY_ASSIGN(auto select, Db().Prepare("SELECT run, status, count(*) FROM task WHERE run IN (" + marks + ") GROUP BY run, status"));
    for (const std::string& run : runs) select.Bind(run);
    std::map<std::string, std::map<std::string, int>> counts;
    for (;;) {
      TRY_ASSIGN(const bool row, select.Step());
      if (!row) return counts;
      counts[select.Text(0)][select.Text(1)] = static_cast<int>(select.Number(2));
    }
  }

  Result<std::map<std::string, RunRecord>> LastRuns() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT " + RunColumns(x_file) + " FROM run WHERE id IN (SELECT (SELECT r.id FROM run AS r WHERE "
                                         "r.pipeline = schedule.pipeline ORDER BY r.started DESC, r.id DESC LIMIT 1) FROM schedule)"));
    TRY_ASSIGN(std::vector<RunRecord> runs, Collect<RunRecord>(select, ReadRun));
    std::map<std::string, RunRecord> by_pipeline;
    for (RunRecord& run : runs) by_pipeline[run.pipeline] = std::move(run);
    return by_pipeline;
  }

  Result<std::map<std::string, int>> RunsSince(Timestamp since) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT status, count(*) FROM run INDEXED BY run_started WHERE started >= ? GROUP BY status"));
    select.Bind(Micros(since));
    return Numbers(select);
  }

  Result<std::vector<TaskRecord>> TasksOf(const std::string& table, int limit) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare(std::string("SELECT ") + kTaskColumns + " FROM task WHERE name = ? AND status NOT IN ('waiting', 'blocked') "
                                         "ORDER BY run DESC LIMIT ?"));
    select.Bind(table).Bind(std::int64_t{limit});
    return Collect<TaskRecord>(select, ReadTask);
  }

  Result<std::vector<CheckRecord>> LastVerdicts(const std::string& table) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare(std::string("SELECT ") + kCheckColumns + " FROM verdict WHERE tbl = ? ORDER BY id DESC LIMIT ?"));
    select.Bind(table).Bind(std::int64_t{kVerdictsLookedAt});
    TRY_ASSIGN(const auto all, Collect<CheckRecord>(select, ReadCheck));
    std::vector<CheckRecord> last;
    for (const CheckRecord& check : all) {
      const bool known = std::any_of(last.begin(), last.end(), [&](const CheckRecord& c) { return c.check == check.check; });
      if (!known) last.push_back(check);
    }
    std::reverse(last.begin(), last.end());
    return last;
  }

  Result<std::int64_t> NewestEvent() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT coalesce(max(sequence), 0) FROM event"));
    TRY_ASSIGN([[maybe_unused]] const bool row, select.Step());
    return select.Number(0);
  }

  Result<std::vector<MessageRecord>> Messages(std::int64_t before, int limit) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT id, channel, key, body, created, tries, next_try, error, status, ended FROM alert "
                                         "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2"));
    select.Bind(before).Bind(std::int64_t{limit});
    return Collect<MessageRecord>(select, [](const Statement& r) {
      return MessageRecord{AlertRecord{r.Number(0), r.Text(1), r.Text(2), r.Text(3), FromMicros(r.Number(4)), static_cast<int>(r.Number(5)),
                                       FromMicros(r.Number(6)), r.Text(7)},
                           r.Text(8), FromMicros(r.Optional(9))};
    });
  }

  Result<std::map<std::string, int>> MessagesWaiting() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT channel, count(*) FROM alert WHERE status = 'waiting' GROUP BY channel"));
    return Numbers(select);
  }

  Result<std::map<std::string, std::string>> Subjects() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT name, body FROM alert_subject"));
    std::map<std::string, std::string> subjects;
    for (;;) {
      TRY_ASSIGN(const bool row, select.Step());
      if (!row) return subjects;
      subjects[select.Text(0)] = select.Text(1);
    }
  }

 private:
  Database& Db() const { return *x_file.database; }

  Result<std::vector<RunRecord>> Fetch(const RunFilter& filter, const PageStart& start) const {
    const std::lock_guard lock(x_file.mutex);
    // Left alone, SQLite walks all runs by time until enough are of the pipeline.
    const std::string by = filter.pipeline.empty() ? "" : " INDEXED BY run_pipeline";
    std::string where = " WHERE (started, id) < (?1, ?2)";
    if (!filter.pipeline.empty()) where += " AND pipeline = ?3";
    const bool maybe_gone = filter.status == RunStatus::kInterrupted;
    if (filter.status) where += maybe_gone ? " AND status IN (?4, 'running')" : " AND status = ?4";
    TRY_ASSIGN(auto select, Db().Prepare("SELECT " + RunColumns(x_file) + " FROM run" + by + where + " ORDER BY started DESC, id DESC LIMIT ?5"));
    select.Bind(start.started).Bind(start.id);
    // A parameter that the statement does not name is bound in vain.
    select.Bind(filter.pipeline).Bind(filter.status ? RunStatusName(*filter.status) : "").Bind(std::int64_t{filter.limit});
    return Collect<RunRecord>(select, ReadRun);
  }

  static Result<std::map<std::string, int>> Numbers(Statement& select) {
    std::map<std::string, int> numbers;
    for (;;) {
      TRY_ASSIGN(const bool row, select.Step());
      if (!row) return numbers;
      numbers[select.Text(0)] = static_cast<int>(select.Number(1));
    }
  }

  SqliteFile& x_file;
};

}  // namespace

std::unique_ptr<HistoryStore> MakeSqliteHistoryStore(SqliteFile& file) { return std::make_unique<SqliteHistoryStore>(file); }

}  // namespace caudal
