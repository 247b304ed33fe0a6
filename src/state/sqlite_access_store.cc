#include "state/sqlite_access_store.h"

namespace caudal {
namespace {

constexpr const char* kTokenColumns = "id, name, role, hash, created, created_by, expires, last_used";

UserRecord ReadUser(const Statement& r) { return UserRecord{r.Text(0), r.Text(1), r.Text(2), FromMicros(r.Number(3)), FromMicros(r.Optional(4))}; }

TokenRecord ReadToken(const Statement& r) {
  return TokenRecord{r.Text(0), r.Text(1), r.Text(2), r.Text(3), FromMicros(r.Number(4)), r.Text(5), FromMicros(r.Optional(6)), FromMicros(r.Optional(7))};
}

class SqliteAccessStore final : public AccessStore {
 public:
  explicit SqliteAccessStore(SqliteFile& file) : x_file(file) {}

  Result<std::vector<UserRecord>> Users() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT name, role, password, created, last_login FROM user ORDER BY name"));
    return Collect<UserRecord>(select, ReadUser);
  }

  Result<std::optional<UserRecord>> User(const std::string& name) const override {
    const std::lock_guard lock(x_file.mutex);
    return FindUser(name);
  }

  Status AddUser(const UserRecord& user, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY_ASSIGN(const auto before, FindUser(user.name));
    if (before) return Error{ErrorKind::kAlreadyExists, "there is a user '" + user.name + "' already", "take another name, or change that user", "user"};
    TRY(PutUser(user));
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Status ChangeUser(const UserRecord& user, const std::string& keep, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY(RequireUser(user.name));
    TRY_ASSIGN(auto update, Db().Prepare("UPDATE user SET role = ?2, password = ?3 WHERE name = ?1"));
    TRY(update.Bind(user.name).Bind(user.role).Bind(user.password).Run());
    TRY(RequireAdmin());
    TRY_ASSIGN(auto end, Db().Prepare("DELETE FROM session WHERE user = ? AND hash <> ?"));
    TRY(end.Bind(user.name).Bind(keep).Run());
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Status RemoveUser(const std::string& name, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY(RequireUser(name));
    for (const char* sql : {"DELETE FROM user WHERE name = ?", "DELETE FROM session WHERE user = ?"}) {
      TRY_ASSIGN(auto remove, Db().Prepare(sql));
      TRY(remove.Bind(name).Run());
    }
    TRY(RequireAdmin());
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Status NoteLogin(const std::string& name, Timestamp at, const SessionRecord& session, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY(RequireUser(name));
    TRY_ASSIGN(auto note, Db().Prepare("UPDATE user SET last_login = ?2 WHERE name = ?1"));
    TRY(note.Bind(name).Bind(Micros(at)).Run());
    TRY_ASSIGN(auto old, Db().Prepare("DELETE FROM session WHERE expires <= ?"));
    TRY(old.Bind(Micros(at)).Run());
    TRY_ASSIGN(auto put, Db().Prepare("INSERT INTO session(hash, user, created, used, expires) VALUES (?, ?, ?, ?, ?)"));
    TRY(put.Bind(session.hash).Bind(name).Bind(Micros(session.created)).Bind(Micros(session.used)).Bind(Micros(session.expires)).Run());
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Result<std::vector<TokenRecord>> Tokens() const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare(std::string("SELECT ") + kTokenColumns + " FROM token ORDER BY created, id"));
    return Collect<TokenRecord>(select, ReadToken);
  }

  Result<std::optional<TokenRecord>> TokenOf(const std::string& hash) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare(std::string("SELECT ") + kTokenColumns + " FROM token WHERE hash = ?"));
    select.Bind(hash);
    TRY_ASSIGN(const bool row, select.Step());
    return row ? std::optional(ReadToken(select)) : std::nullopt;
  }

  Status AddToken(const TokenRecord& t, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY_ASSIGN(auto put, Db().Prepare("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"));
    TRY(put.Bind(t.id).Bind(t.name).Bind(t.role).Bind(t.hash).Bind(Micros(t.created)).Bind(t.created_by).Bind(Micros(t.expires)).Run());
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Status RemoveToken(const std::string& id, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY_ASSIGN(auto remove, Db().Prepare("DELETE FROM token WHERE id = ? RETURNING id"));
    remove.Bind(id);
    TRY_ASSIGN(const bool row, remove.Step());
    if (!row) return Error{ErrorKind::kNotFound, "no token has the id '" + id + "'", "`caudal token list` lists them", ""};
    TRY_ASSIGN([[maybe_unused]] const bool more, remove.Step());
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

  Status TouchToken(const std::string& id, Timestamp at) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto update, Db().Prepare("UPDATE token SET last_used = ?2 WHERE id = ?1"));
    return update.Bind(id).Bind(Micros(at)).Run();
  }

  Result<std::optional<SessionRecord>> SessionOf(const std::string& hash) const override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto select, Db().Prepare("SELECT session.hash, session.user, user.role, session.created, session.used, session.expires "
                                         "FROM session JOIN user ON user.name = session.user WHERE session.hash = ?"));
    select.Bind(hash);
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return std::optional<SessionRecord>();
    return std::optional(SessionRecord{select.Text(0), select.Text(1), select.Text(2), FromMicros(select.Number(3)), FromMicros(select.Number(4)),
                                       FromMicros(select.Number(5))});
  }

  Status TouchSession(const std::string& hash, Timestamp used, Timestamp expires) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto update, Db().Prepare("UPDATE session SET used = ?2, expires = ?3 WHERE hash = ?1"));
    return update.Bind(hash).Bind(Micros(used)).Bind(Micros(expires)).Run();
  }

  Status RemoveSession(const std::string& hash) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto remove, Db().Prepare("DELETE FROM session WHERE hash = ?"));
    return remove.Bind(hash).Run();
  }

  Status SetSetupKey(const std::string& hash, Timestamp until) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto put, Db().Prepare("INSERT OR REPLACE INTO setup_key VALUES (1, ?, ?)"));
    return put.Bind(hash).Bind(Micros(until)).Run();
  }

  Status AddFirstUser(const std::string& key_hash, Timestamp now, const UserRecord& user, const EventRecord& told) override {
    const std::lock_guard lock(x_file.mutex);
    TRY_ASSIGN(auto transaction, Transaction::Begin(Db()));
    TRY_ASSIGN(auto spend, Db().Prepare("DELETE FROM setup_key WHERE hash = ? AND until > ? AND NOT EXISTS (SELECT 1 FROM user) RETURNING one"));
    spend.Bind(key_hash).Bind(Micros(now));
    TRY_ASSIGN(const bool good, spend.Step());
    if (!good) {
      return Error{ErrorKind::kPermission, "the one-time link is not good: it was used, is too old, or there is a user already",
                   "start the daemon again for a new one, or `caudal user add NAME --role admin`", "key"};
    }
    TRY_ASSIGN([[maybe_unused]] const bool more, spend.Step());
    TRY(PutUser(user));
    TRY(PutEvent(Db(), told));
    return transaction.Commit();
  }

 private:
  Database& Db() const { return *x_file.database; }

  Result<std::optional<UserRecord>> FindUser(const std::string& name) const {
    TRY_ASSIGN(auto select, Db().Prepare("SELECT name, role, password, created, last_login FROM user WHERE name = ?"));
    select.Bind(name);
    TRY_ASSIGN(const bool row, select.Step());
    return row ? std::optional(ReadUser(select)) : std::nullopt;
  }

  Status PutUser(const UserRecord& u) {
    TRY_ASSIGN(auto put, Db().Prepare("INSERT INTO user(name, role, password, created) VALUES (?, ?, ?, ?)"));
    return put.Bind(u.name).Bind(u.role).Bind(u.password).Bind(Micros(u.created)).Run();
  }

  Status RequireUser(const std::string& name) const {
    TRY_ASSIGN(const auto user, FindUser(name));
    if (!user) return Error{ErrorKind::kNotFound, "no user is called '" + name + "'", "`caudal user list` lists them", ""};
    return {};
  }

  /// Somebody has to be able to let others in.
  Status RequireAdmin() const {
    TRY_ASSIGN(auto select, Db().Prepare("SELECT 1 FROM user WHERE role = 'admin' LIMIT 1"));
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return Error{ErrorKind::kConflict, "no admin would be left", "make another user admin first", ""};
    return {};
  }

  SqliteFile& x_file;
};

}  // namespace

std::unique_ptr<AccessStore> MakeSqliteAccessStore(SqliteFile& file) { return std::make_unique<SqliteAccessStore>(file); }

}  // namespace caudal
