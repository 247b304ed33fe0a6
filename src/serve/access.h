// Who may use the daemon: users with passwords, programs with tokens, browsers with sessions. Secrets leave it once, when they
// are made; the state store has their hashes. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "state/access_store.h"

namespace caudal {

/// Each may do what those before it may. kNone: of routes that are open to all.
enum class Role { kNone, kViewer, kOperator, kDeveloper, kAdmin };
std::string_view RoleName(Role role);
/// Errors: kInvalidArgument that lists them.
Result<Role> RoleFromName(std::string_view name);

struct Principal {
  std::string name;  // of the user, or of the token
  Role role = Role::kNone;
  bool by_session = false;
  std::string session;  // hash of the cookie
  std::string csrf;
  std::optional<Timestamp> expires;
};

struct LoggedIn {
  Principal who;
  std::string cookie;  // its value
};
struct MadeToken {
  TokenRecord record;
  std::string token;
};

class Access {
 public:
  /// Both outlive it.
  Access(AccessStore& store, const Clock& clock) : x_store(store), x_clock(clock) {}

  /// Whose token, or whose cookie, it is; nothing where it is nobody's. Errors: of the state store.
  Result<std::optional<Principal>> OfToken(const std::string& token);
  Result<std::optional<Principal>> OfCookie(const std::string& cookie);

  /// Errors: kPermission for a wrong name or password (not told apart), kUnavailable with the seconds to wait in `next` after
  /// too many of them.
  Result<LoggedIn> Login(const std::string& user, const std::string& password, const std::string& peer);
  Status Logout(const Principal& who);

  /// The key of the one-time link, while there is no user; good for a day, and only the newest is.
  Result<std::optional<std::string>> NewSetupKey();
  Result<bool> NeedsSetup() const;
  /// The first admin, logged in.
  Result<LoggedIn> Setup(const std::string& key, const std::string& user, const std::string& password);

  Result<std::vector<UserRecord>> Users() const { return x_store.Users(); }
  Result<UserRecord> AddUser(const std::string& name, Role role, const std::string& password, const std::string& by);
  /// What is absent stays. `keep`: the session that goes on.
  Result<UserRecord> ChangeUser(const std::string& name, std::optional<Role> role, const std::optional<std::string>& password,
                                const std::string& keep, const std::string& by);
  Status RemoveUser(const std::string& name, const std::string& by);
  /// Errors: kPermission where `old` is not the user's password; of who is no user kUnsupported.
  Status ChangeOwnPassword(const Principal& who, const std::string& old, const std::string& password);

  Result<std::vector<TokenRecord>> Tokens() const { return x_store.Tokens(); }
  Result<MadeToken> AddToken(const std::string& name, Role role, std::optional<int> days, const std::string& by);
  Status RemoveToken(const std::string& id, const std::string& by);

 private:
  Result<LoggedIn> BeginSession(const std::string& user, Role role, const std::string& how);
  std::optional<int> MustWait(const std::string& who);
  void NoteFailure(const std::string& who);
  EventRecord Told(const char* kind, const Json& body) const;

  AccessStore& x_store;
  const Clock& x_clock;
  std::mutex x_mutex;                                       // guards what follows
  std::map<std::string, std::vector<Timestamp>> x_failures;  // of logins, by user and by peer
};

/// User, Token of the API and of `caudal user`, `caudal token`.
Json UserDocument(const UserRecord& user);
Json TokenDocument(const TokenRecord& token);

}  // namespace caudal
