#include "serve/access.h"

#include <algorithm>

#include "base/ids.h"
#include "base/json.h"
#include "serve/password.h"

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::string_view kTokenPrefix = "caudal_";
constexpr hours kSessionIdle{12};
constexpr hours kSessionMost{24 * 7};
constexpr hours kSetupKeyFor{24};
/// Writing down each use would cost more than the use.
constexpr minutes kTouchEvery{10};
constexpr minutes kFailuresFor{5};
constexpr std::size_t kMostFailures = 10;
/// Of an address: behind a proxy everybody has the same one.
constexpr std::size_t kMostFailuresOfPeer = 50;
constexpr std::string_view kPeer = "peer ";
constexpr std::size_t kMostRemembered = 10'000;
constexpr std::size_t kLeastPassword = 12, kMostPassword = 1024, kMostName = 63;
constexpr std::string_view kRoles[] = {"none", "viewer", "operator", "developer", "admin"};

std::string CsrfOf(const std::string& cookie) { return Sha256Hex("csrf " + cookie).substr(0, 43); }

Status CheckPassword(const std::string& password) {
  if (password.size() >= kLeastPassword && password.size() <= kMostPassword) return {};
  return Error{ErrorKind::kInvalidArgument, "a password has 12 to 1024 characters", "take a longer one: a few words will do", "password"};
}

Status CheckName(const std::string& name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good = !name.empty() && name.size() <= kMostName && plain(name[0]) &&
                    std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '.' || c == '_' || c == '@' || c == '-'; });
  if (good) return {};
  return Error{ErrorKind::kInvalidArgument, "a user's name is of a-z, 0-9, '.', '_', '@', '-', and begins with a letter or digit", "write it so: ann", "user"};
}

Json TimeOrNull(const std::optional<Timestamp>& time) { return time ? Json(FormatTimestampMs(*time)) : Json(nullptr); }

}  // namespace

std::string_view RoleName(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

Result<Role> RoleFromName(std::string_view name) {
  for (std::size_t i = 1; i < std::size(kRoles); ++i) {
    if (kRoles[i] == name) return static_cast<Role>(i);
  }
  return Error{ErrorKind::kInvalidArgument, "'" + std::string(name.substr(0, 40)) + "' is no role", "viewer, operator, developer, admin", "role"};
}

EventRecord Access::Told(const char* kind, const Json& body) const { return EventRecord{0, x_clock.Now(), kind, "", "", DumpJson(body)}; }

Result<std::optional<Principal>> Access::OfToken(const std::string& token) {
  if (!token.starts_with(kTokenPrefix)) return std::optional<Principal>();
  TRY_ASSIGN(const auto record, x_store.TokenOf(Sha256Hex(token)));
  const Timestamp now = x_clock.Now();
  if (!record || (record->expires && *record->expires <= now)) return std::optional<Principal>();
  // A use that could not be noted is none the less one.
  if (!record->last_used || now - *record->last_used >= kTouchEvery) static_cast<void>(x_store.TouchToken(record->id, now));
  TRY_ASSIGN(const Role role, RoleFromName(record->role));
  return std::optional(Principal{"token " + record->name, role, false, "", "", record->expires});
}

Result<std::optional<Principal>> Access::OfCookie(const std::string& cookie) {
  const std::string hash = Sha256Hex(cookie);
  TRY_ASSIGN(const auto session, x_store.SessionOf(hash));
  const Timestamp now = x_clock.Now();
  if (!session || session->expires <= now) return std::optional<Principal>();
  Timestamp expires = session->expires;
  if (now - session->used >= kTouchEvery) {
    expires = std::min(now + kSessionIdle, session->created + kSessionMost);
    static_cast<void>(x_store.TouchSession(hash, now, expires));
  }
  TRY_ASSIGN(const Role role, RoleFromName(session->role));
  return std::optional(Principal{session->user, role, true, hash, CsrfOf(cookie), expires});
}

Result<LoggedIn> Access::BeginSession(const std::string& user, Role role, const std::string& how) {
  LoggedIn logged_in;
  logged_in.cookie = NewSecret();
  const Timestamp now = x_clock.Now();
  const SessionRecord session{Sha256Hex(logged_in.cookie), user, std::string(RoleName(role)), now, now, now + kSessionIdle};
  TRY(x_store.NoteLogin(user, now, session, Told("access.login", Json{{"user", user}, {"by", how}})));
  logged_in.who = Principal{user, role, true, session.hash, CsrfOf(logged_in.cookie), session.expires};
  return logged_in;
}

/// Seconds, where there were too many failures of late.
std::optional<int> Access::MustWait(const std::string& who) {
  const std::lock_guard lock(x_mutex);
  const auto it = x_failures.find(who);
  if (it == x_failures.end()) return std::nullopt;
  const Timestamp now = x_clock.Now();
  std::erase_if(it->second, [&](Timestamp at) { return now - at >= kFailuresFor || at > now; });
  if (it->second.size() < (who.starts_with(kPeer) ? kMostFailuresOfPeer : kMostFailures)) return std::nullopt;
  const auto left = kFailuresFor - (now - it->second.front());
  return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(left).count()) + 1;
}

void Access::NoteFailure(const std::string& who) {
  const std::lock_guard lock(x_mutex);
  if (x_failures.size() >= kMostRemembered) x_failures.clear();
  x_failures[who].push_back(x_clock.Now());
}

Result<LoggedIn> Access::Login(const std::string& user, const std::string& password, const std::string& peer) {
  const std::string keys[] = {"user " + user.substr(0, kMostName), std::string(kPeer) + peer};
  for (const std::string& key : keys) {
    if (const auto seconds = MustWait(key)) {
      return Error{ErrorKind::kUnavailable, "too many logins failed", std::to_string(*seconds), ""};
    }
  }
  TRY_ASSIGN(const auto record, x_store.User(user));
  if (!PasswordIs(password, record ? record->password : "")) {
    for (const std::string& key : keys) NoteFailure(key);
    return Error{ErrorKind::kPermission, "the name or the password is wrong", "an admin can give a new one: `caudal user password NAME`", ""};
  }
  TRY_ASSIGN(const Role role, RoleFromName(record->role));
  return BeginSession(user, role, peer);
}

Status Access::Logout(const Principal& who) { return who.by_session ? x_store.RemoveSession(who.session) : Status(); }

Result<bool> Access::NeedsSetup() const {
  TRY_ASSIGN(const auto users, x_store.Users());
  return users.empty();
}

Result<std::optional<std::string>> Access::NewSetupKey() {
  TRY_ASSIGN(const bool needed, NeedsSetup());
  if (!needed) return std::optional<std::string>();
  std::string key = NewSecret();
  TRY(x_store.SetSetupKey(Sha256Hex(key), x_clock.Now() + kSetupKeyFor));
  return std::optional(std::move(key));
}

Result<LoggedIn> Access::Setup(const std::string& key, const std::string& user, const std::string& password) {
  TRY(CheckName(user));
  TRY(CheckPassword(password));
  TRY_ASSIGN(const bool needed, NeedsSetup());  // hashing a password for whoever asks would be work for nothing
  if (!needed) return Error{ErrorKind::kPermission, "there is a user already: the link is spent", "log in", "key"};
  if (const auto seconds = MustWait("setup")) return Error{ErrorKind::kUnavailable, "too many keys were wrong", std::to_string(*seconds), ""};
  TRY_ASSIGN(const std::string hash, HashPassword(password));
  const Timestamp now = x_clock.Now();
  Status added = x_store.AddFirstUser(Sha256Hex(key), now, UserRecord{user, "admin", hash, now, {}},
                                      Told("access.user_added", Json{{"by", "one-time link"}, {"user", user}, {"role", "admin"}}));
  if (!added && added.error().kind == ErrorKind::kPermission) NoteFailure("setup");
  TRY(std::move(added));
  return BeginSession(user, Role::kAdmin, "one-time link");
}

Result<UserRecord> Access::AddUser(const std::string& name, Role role, const std::string& password, const std::string& by) {
  TRY(CheckName(name));
  TRY(CheckPassword(password));
  UserRecord user{name, std::string(RoleName(role)), "", x_clock.Now(), {}};
  TRY_ASSIGN(user.password, HashPassword(password));
  TRY(x_store.AddUser(user, Told("access.user_added", Json{{"by", by}, {"user", name}, {"role", user.role}})));
  return user;
}

Result<UserRecord> Access::ChangeUser(const std::string& name, std::optional<Role> role, const std::optional<std::string>& password,
                                      const std::string& keep, const std::string& by) {
  TRY_ASSIGN(const auto found, x_store.User(name));
  if (!found) return Error{ErrorKind::kNotFound, "no user is called '" + name + "'", "`caudal user list` lists them", ""};
  UserRecord user = *found;
  if (role) user.role = RoleName(*role);
  if (password) {
    TRY(CheckPassword(*password));
    TRY_ASSIGN(user.password, HashPassword(*password));
  }
  const Json body{{"by", by}, {"user", name}, {"role", user.role}, {"password", password.has_value()}};
  TRY(x_store.ChangeUser(user, keep, Told("access.user_changed", body)));
  return user;
}

Status Access::RemoveUser(const std::string& name, const std::string& by) {
  return x_store.RemoveUser(name, Told("access.user_removed", Json{{"by", by}, {"user", name}}));
}

Status Access::ChangeOwnPassword(const Principal& who, const std::string& old, const std::string& password) {
  if (!who.by_session) return Error{ErrorKind::kUnsupported, "a token has no password", "log in with the user's name", ""};
  const std::string key = "user " + who.name;
  if (const auto seconds = MustWait(key)) return Error{ErrorKind::kUnavailable, "too many passwords were wrong", std::to_string(*seconds), ""};
  TRY_ASSIGN(const auto user, x_store.User(who.name));
  if (!user || !PasswordIs(old, user->password)) {
    NoteFailure(key);
    return Error{ErrorKind::kPermission, "the old password is wrong", "", "old"};
  }
  TRY(ChangeUser(who.name, {}, password, who.session, who.name));
  return {};
}

Result<MadeToken> Access::AddToken(const std::string& name, Role role, std::optional<int> days, const std::string& by) {
  if (name.empty() || name.size() > 100 || std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return Error{ErrorKind::kInvalidArgument, "a token's name is a line of 1 to 100 characters", "say what it is for: prometheus", "name"};
  }
  MadeToken made;
  made.token = std::string(kTokenPrefix) + NewSecret();
  const Timestamp now = x_clock.Now();
  made.record = TokenRecord{NewToken().substr(0, 8), name, std::string(RoleName(role)), Sha256Hex(made.token), now, by, {}, {}};
  if (days) made.record.expires = now + hours(24) * *days;
  TRY(x_store.AddToken(made.record, Told("access.token_added", Json{{"by", by}, {"token", made.record.id}, {"name", name}, {"role", made.record.role}})));
  return made;
}

Status Access::RemoveToken(const std::string& id, const std::string& by) {
  return x_store.RemoveToken(id, Told("access.token_removed", Json{{"by", by}, {"token", id}}));
}

Json UserDocument(const UserRecord& user) {
  return {{"user", user.name}, {"role", user.role}, {"created", FormatTimestampMs(user.created)}, {"last_login", TimeOrNull(user.last_login)}};
}

Json TokenDocument(const TokenRecord& token) {
  return {{"id", token.id},           {"name", token.name},
          {"role", token.role},       {"created", FormatTimestampMs(token.created)},
          {"created_by", token.created_by}, {"expires", TimeOrNull(token.expires)},
          {"last_used", TimeOrNull(token.last_used)}};
}

}  // namespace caudal
