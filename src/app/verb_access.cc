// `user ...`, `token ...`: who may use the daemon. They work on the state store, beside a daemon that serves.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/exit_code.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "serve/access.h"

namespace caudal {
namespace {

constexpr const char* kBy = "command line";

/// The first line of standard input; a terminal does not show it.
Result<std::string> ReadPassword(const Console& console, const std::string& name) {
  termios before{};
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    console.Remark("password of " + name + " (12 characters or more): ");
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.empty()) return Error{ErrorKind::kInvalidArgument, "no password was given", "type it, or send it to standard input", ""};
  return password;
}

Result<int> WithAccess(const Command& command, const std::function<Status(Access&)>& work) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(StateStore * state, session->State());
  Access access(state->access(), SystemClock());
  TRY(work(access));
  return kExitOk;
}

void Say(const Command& command, const Json& document, const std::string& text) {
  if (command.console.json()) {
    command.console.Document(document);
  } else {
    command.console.Line(text);
  }
}

std::string TimeOr(const std::optional<Timestamp>& time, const char* absent) { return time ? LocalTime(*time) : absent; }

}  // namespace

Result<int> UserAddVerb(const Command& command, const UserOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const Role role, RoleFromName(options.role));
    TRY_ASSIGN(const std::string password, ReadPassword(command.console, options.name));
    TRY_ASSIGN(const UserRecord user, access.AddUser(options.name, role, password, kBy));
    Say(command, UserDocument(user), user.name + " may log in, as " + user.role);
    return {};
  });
}

Result<int> UserPasswordVerb(const Command& command, const UserOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const std::string password, ReadPassword(command.console, options.name));
    TRY_ASSIGN(const UserRecord user, access.ChangeUser(options.name, {}, password, "", kBy));
    Say(command, UserDocument(user), user.name + " has a new password, and is logged in nowhere");
    return {};
  });
}

Result<int> UserRoleVerb(const Command& command, const UserOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const Role role, RoleFromName(options.role));
    TRY_ASSIGN(const UserRecord user, access.ChangeUser(options.name, role, {}, "", kBy));
    Say(command, UserDocument(user), user.name + " is " + user.role + " now");
    return {};
  });
}

Result<int> UserRemoveVerb(const Command& command, const UserOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY(access.RemoveUser(options.name, kBy));
    Say(command, Json{{"done", true}}, options.name + " may log in no more");
    return {};
  });
}

Result<int> UserListVerb(const Command& command) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const auto users, access.Users());
    TextTable table;
    table.columns = {{"user", false}, {"role", false}, {"since", false}, {"last login", false}};
    Json document{{"users", Json::array()}};
    for (const UserRecord& user : users) {
      document["users"].push_back(UserDocument(user));
      table.rows.push_back({user.name, user.role, LocalTime(user.created), TimeOr(user.last_login, "never")});
    }
    if (command.console.json()) {
      command.console.Document(document);
    } else if (users.empty()) {
      command.console.Line("nobody yet: `caudal user add NAME --role admin`");
    } else {
      command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
    }
    return {};
  });
}

Result<int> TokenCreateVerb(const Command& command, const TokenOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const Role role, RoleFromName(options.role));
    TRY_ASSIGN(const MadeToken made, access.AddToken(options.name, role, options.days > 0 ? std::optional(options.days) : std::nullopt, kBy));
    Json document = TokenDocument(made.record);
    document["token"] = made.token;
    command.console.Remark("keep it: it is not shown again. `caudal token revoke " + made.record.id + "` ends it");
    Say(command, document, made.token);
    return {};
  });
}

Result<int> TokenListVerb(const Command& command) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY_ASSIGN(const auto tokens, access.Tokens());
    TextTable table;
    table.columns = {{"id", false}, {"name", false}, {"role", false}, {"by", false}, {"made", false}, {"expires", false}, {"last used", false}};
    Json document{{"tokens", Json::array()}};
    for (const TokenRecord& token : tokens) {
      document["tokens"].push_back(TokenDocument(token));
      table.rows.push_back({token.id, token.name, token.role, token.created_by, LocalTime(token.created), TimeOr(token.expires, "never"),
                            TimeOr(token.last_used, "never")});
    }
    if (command.console.json()) {
      command.console.Document(document);
    } else if (tokens.empty()) {
      command.console.Line("none yet: `caudal token create NAME --role viewer`");
    } else {
      command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
    }
    return {};
  });
}

Result<int> TokenRevokeVerb(const Command& command, const TokenOptions& options) {
  return WithAccess(command, [&](Access& access) -> Status {
    TRY(access.RemoveToken(options.name, kBy));
    Say(command, Json{{"done", true}}, options.name + " is good no more");
    return {};
  });
}

}  // namespace caudal
