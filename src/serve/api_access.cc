// Routes of who may use the daemon.
#include <charconv>

#include "base/json.h"
#include "serve/body_reader.h"
#include "serve/handlers.h"
#include "serve/router.h"

namespace caudal {
namespace {

Json SessionDocument(const Principal& who) {
  return {{"user", who.name},
          {"role", RoleName(who.role)},
          {"by", who.by_session ? "session" : "token"},
          {"csrf", who.by_session ? Json(who.csrf) : Json(nullptr)},
          {"expires", who.expires ? Json(FormatTimestampMs(*who.expires)) : Json(nullptr)}};
}

std::string CookieLine(const Served& served, const std::string& value, const char* more) {
  return std::string(kSessionCookie) + "=" + value + "; Path=/; HttpOnly; SameSite=Strict" + (served.secure ? "; Secure" : "") + more;
}

/// Too many failures are 429 with the seconds to wait, which Access gives as the next step.
Result<HttpResponse> LoggedInOr(const Served& served, Result<LoggedIn> logged_in) {
  if (logged_in) {
    HttpResponse response = JsonResponse(200, SessionDocument(logged_in->who));
    response.headers.emplace_back("Set-Cookie", CookieLine(served, logged_in->cookie, ""));
    return response;
  }
  Error error = std::move(logged_in).error();
  int seconds = 0;
  const auto [end, failure] = std::from_chars(error.next.data(), error.next.data() + error.next.size(), seconds);
  const bool too_often = error.kind == ErrorKind::kUnavailable && failure == std::errc() && end == error.next.data() + error.next.size();
  if (!too_often) return error.kind == ErrorKind::kPermission ? ProblemResponse(401, error) : ProblemResponse(error);
  error.next = "wait " + std::to_string(seconds) + " s";
  HttpResponse response = ProblemResponse(429, error);
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

Result<HttpResponse> Done() { return JsonResponse(200, Json{{"done", true}}); }

}  // namespace

Result<HttpResponse> GetSetup(const Served& served, const Call&) {
  TRY_ASSIGN(const bool needed, served.access.NeedsSetup());
  return JsonResponse(200, Json{{"needed", needed}});
}

Result<HttpResponse> PostSetup(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"key", "user", "password"}));
  TRY_ASSIGN(const std::string key, reader.NeedText("key"));
  TRY_ASSIGN(const std::string user, reader.NeedText("user"));
  TRY_ASSIGN(const std::string password, reader.NeedText("password"));
  return LoggedInOr(served, served.access.Setup(key, user, password));
}

Result<HttpResponse> GetSession(const Served&, const Call& call) { return JsonResponse(200, SessionDocument(call.who)); }

Result<HttpResponse> PostSession(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"user", "password"}));
  TRY_ASSIGN(const std::string user, reader.NeedText("user"));
  TRY_ASSIGN(const std::string password, reader.NeedText("password"));
  return LoggedInOr(served, served.access.Login(user, password, call.request.peer));
}

Result<HttpResponse> DeleteSession(const Served& served, const Call& call) {
  TRY(served.access.Logout(call.who));
  HttpResponse response = JsonResponse(200, Json{{"done", true}});
  response.headers.emplace_back("Set-Cookie", CookieLine(served, "", "; Max-Age=0"));
  return response;
}

Result<HttpResponse> PutPassword(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"old", "new"}));
  TRY_ASSIGN(const std::string old, reader.NeedText("old"));
  TRY_ASSIGN(const std::string password, reader.NeedText("new"));
  TRY(served.access.ChangeOwnPassword(call.who, old, password));
  return Done();
}

Result<HttpResponse> GetUsers(const Served& served, const Call&) {
  TRY_ASSIGN(const auto users, served.access.Users());
  Json document{{"users", Json::array()}};
  for (const UserRecord& user : users) document["users"].push_back(UserDocument(user));
  return JsonResponse(200, document);
}

Result<HttpResponse> PostUser(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"user", "role", "password"}));
  TRY_ASSIGN(const std::string name, reader.NeedText("user"));
  TRY_ASSIGN(const std::string role_name, reader.NeedText("role"));
  TRY_ASSIGN(const Role role, RoleFromName(role_name));
  TRY_ASSIGN(const std::string password, reader.NeedText("password"));
  TRY_ASSIGN(const UserRecord user, served.access.AddUser(name, role, password, call.who.name));
  return JsonResponse(201, UserDocument(user));
}

Result<HttpResponse> PatchUser(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"role", "password"}));
  TRY_ASSIGN(const auto role_name, reader.Text("role"));
  TRY_ASSIGN(const auto password, reader.Text("password"));
  std::optional<Role> role;
  if (role_name) {
    TRY_ASSIGN(role, RoleFromName(*role_name));
  }
  const std::string keep = call.who.by_session && call.who.name == call.Word("user") ? call.who.session : "";
  TRY_ASSIGN(const UserRecord user, served.access.ChangeUser(call.Word("user"), role, password, keep, call.who.name));
  return JsonResponse(200, UserDocument(user));
}

Result<HttpResponse> DeleteUser(const Served& served, const Call& call) {
  TRY(served.access.RemoveUser(call.Word("user"), call.who.name));
  return Done();
}

Result<HttpResponse> GetTokens(const Served& served, const Call&) {
  TRY_ASSIGN(const auto tokens, served.access.Tokens());
  Json document{{"tokens", Json::array()}};
  for (const TokenRecord& token : tokens) document["tokens"].push_back(TokenDocument(token));
  return JsonResponse(200, document);
}

Result<HttpResponse> PostToken(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"name", "role", "days"}));
  TRY_ASSIGN(const std::string name, reader.NeedText("name"));
  TRY_ASSIGN(const std::string role_name, reader.NeedText("role"));
  TRY_ASSIGN(const Role role, RoleFromName(role_name));
  TRY_ASSIGN(const auto days, reader.Number("days", 1, 3650));
  TRY_ASSIGN(const MadeToken made, served.access.AddToken(name, role, days, call.who.name));
  const Json all = TokenDocument(made.record);
  return JsonResponse(201, Json{{"id", all["id"]}, {"name", all["name"]}, {"role", all["role"]}, {"expires", all["expires"]}, {"token", made.token}});
}

Result<HttpResponse> DeleteToken(const Served& served, const Call& call) {
  TRY(served.access.RemoveToken(call.Word("id"), call.who.name));
  return Done();
}

}  // namespace caudal
