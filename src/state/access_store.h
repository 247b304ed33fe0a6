// Users, tokens and sessions: who may use the daemon. Secrets are kept as hashes only, made by the caller. Each change and
// the event that tells of it are one transaction. Thread-safe. Part of a StateStore.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/state_store.h"

namespace caudal {

struct UserRecord {
  std::string name;
  std::string role;      // viewer, operator, developer, admin
  std::string password;  // as crypto_pwhash_str writes it
  Timestamp created;
  std::optional<Timestamp> last_login;
};

struct TokenRecord {
  std::string id;    // by which it is revoked; no secret
  std::string name;
  std::string role;
  std::string hash;  // of the token
  Timestamp created;
  std::string created_by;
  std::optional<Timestamp> expires, last_used;
};

struct SessionRecord {
  std::string hash;  // of the cookie
  std::string user;
  std::string role;  // of the user as it is now; not kept with the session
  Timestamp created, used, expires;
};

class AccessStore {
 public:
  virtual ~AccessStore() = default;
  virtual Result<std::vector<UserRecord>> Users() const = 0;
  virtual Result<std::optional<UserRecord>> User(const std::string& name) const = 0;
  /// Errors: kAlreadyExists.
  virtual Status AddUser(const UserRecord& user, const EventRecord& told) = 0;
  /// Replaces role and password, and ends the user's sessions but for `keep`. Errors: kNotFound; kConflict where no admin would be left.
  virtual Status ChangeUser(const UserRecord& user, const std::string& keep, const EventRecord& told) = 0;
  /// Errors: the same.
  virtual Status RemoveUser(const std::string& name, const EventRecord& told) = 0;
  virtual Status NoteLogin(const std::string& name, Timestamp at, const SessionRecord& session, const EventRecord& told) = 0;

  virtual Result<std::vector<TokenRecord>> Tokens() const = 0;
  virtual Result<std::optional<TokenRecord>> TokenOf(const std::string& hash) const = 0;
  virtual Status AddToken(const TokenRecord& token, const EventRecord& told) = 0;
  /// Errors: kNotFound.
  virtual Status RemoveToken(const std::string& id, const EventRecord& told) = 0;
  virtual Status TouchToken(const std::string& id, Timestamp at) = 0;

  virtual Result<std::optional<SessionRecord>> SessionOf(const std::string& hash) const = 0;
  virtual Status TouchSession(const std::string& hash, Timestamp used, Timestamp expires) = 0;
  virtual Status RemoveSession(const std::string& hash) = 0;

  /// From now on only this key makes the first admin, until then.
  virtual Status SetSetupKey(const std::string& hash, Timestamp until) = 0;
  /// Adds `user` if there is none yet and the key is good; the key is spent. Errors: kPermission.
  virtual Status AddFirstUser(const std::string& key_hash, Timestamp now, const UserRecord& user, const EventRecord& told) = 0;
};

}  // namespace caudal
