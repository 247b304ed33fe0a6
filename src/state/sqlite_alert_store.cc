#include "state/sqlite_alert_store.h"

namespace caudal {
namespace {

class SqliteAlertStore final : public AlertStore {
 public:
  explicit SqliteAlertStore(SqliteFile& file) : x_file(file) {}

  Result<std::int64_t> Cursor() override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(std::optional<std::int64_t> cursor, ReadCursor());
    if (cursor) return *cursor;  // as a rule: looking takes no lock
    TRY_ASSIGN(auto first, Db().Prepare("INSERT OR IGNORE INTO alert_cursor SELECT 1, coalesce(max(sequence), 0) FROM event"));
    TRY(first.Run());
    TRY_ASSIGN(cursor, ReadCursor());
    return cursor.value_or(0);
  }

  Result<std::string> Subject(const std::string& name) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT body FROM alert_subject WHERE name = ?"));
    select.Bind(name);
    TRY_ASSIGN(const bool row, select.Step());
    return row ? select.Text(0) : std::string();
  }

  Status Advance(std::int64_t cursor, const std::map<std::string, std::string>& subjects,
                 const std::vector<AlertRecord>& alerts) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY_ASSIGN(auto move, Db().Prepare("INSERT OR REPLACE INTO alert_cursor VALUES (1, ?)"));
    TRY(move.Bind(cursor).Run());
    for (const auto& [name, body] : subjects) {
      TRY_ASSIGN(auto put, Db().Prepare("INSERT OR REPLACE INTO alert_subject VALUES (?, ?)"));
      TRY(put.Bind(name).Bind(body).Run());
    }
    for (const AlertRecord& a : alerts) {
      TRY_ASSIGN(auto put, Db().Prepare("INSERT OR IGNORE INTO alert(channel, key, body, created, status, tries, next_try, error) "
                                        "VALUES (?, ?, ?, ?, 'waiting', 0, ?, '')"));
      TRY(put.Bind(a.channel).Bind(a.key).Bind(a.body).Bind(Micros(a.created)).Bind(Micros(a.next_try)).Run());
    }
    return transaction.Commit();
  }

  Result<std::vector<AlertRecord>> Waiting(const std::string& channel, Timestamp now, int limit) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT id, channel, key, body, created, tries, next_try, error FROM alert "
                                         "WHERE status = 'waiting' AND channel = ?1 AND NOT EXISTS (SELECT 1 FROM alert AS late "
                                         "WHERE late.status = 'waiting' AND late.channel = ?1 AND late.next_try > ?2) ORDER BY id LIMIT ?3"));
    select.Bind(channel).Bind(Micros(now)).Bind(std::int64_t{limit});
    return Collect<AlertRecord>(select, [](const Statement& r) {
      return AlertRecord{r.Number(0), r.Text(1), r.Text(2), r.Text(3), FromMicros(r.Number(4)), static_cast<int>(r.Number(5)),
                         FromMicros(r.Number(6)), r.Text(7)};
    });
  }

  Status Sent(const std::vector<std::int64_t>& ids, Timestamp at) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    for (const std::int64_t id : ids) {
      TRY_ASSIGN(auto update, Db().Prepare("UPDATE alert SET status = 'sent', ended = ?, tries = tries + 1 WHERE id = ?"));
      TRY(update.Bind(Micros(at)).Bind(id).Run());
    }
    return transaction.Commit();
  }

  Status Postpone(const std::vector<std::int64_t>& ids, Timestamp next_try, const std::string& error) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    for (const std::int64_t id : ids) {
      TRY_ASSIGN(auto update, Db().Prepare("UPDATE alert SET next_try = ?, error = ?, tries = tries + 1 WHERE id = ?"));
      TRY(update.Bind(Micros(next_try)).Bind(error).Bind(id).Run());
    }
    return transaction.Commit();
  }

  Status GiveUp(const std::vector<std::int64_t>& ids, const std::string& error, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    for (const std::int64_t id : ids) {
      TRY_ASSIGN(auto update, Db().Prepare("UPDATE alert SET status = 'given up', ended = ?, error = ?, tries = tries + 1 WHERE id = ?"));
      TRY(update.Bind(Micros(told.at)).Bind(error).Bind(id).Run());
    }
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Result<std::vector<CheckRecord>> ChecksOf(const std::string& run) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare(std::string("SELECT ") + kCheckColumns + " FROM verdict WHERE run = ? ORDER BY id"));
    select.Bind(run);
    return Collect<CheckRecord>(select, ReadCheck);
  }

 private:
  Database& Db() const { return *x_file.database; }

  Result<std::optional<std::int64_t>> ReadCursor() const {
    TRY_ASSIGN(auto select, Db().Prepare("SELECT sequence FROM alert_cursor"));
    TRY_ASSIGN(const bool row, select.Step());
    return row ? std::optional(select.Number(0)) : std::nullopt;
  }

  SqliteFile& x_file;
};

}  // namespace

std::unique_ptr<AlertStore> MakeSqliteAlertStore(SqliteFile& file) { return std::make_unique<SqliteAlertStore>(file); }

}  // namespace caudal
