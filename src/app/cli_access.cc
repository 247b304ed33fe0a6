// The verbs about who may use the daemon: user, token.
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli.h"

namespace caudal {
namespace {

constexpr const char* kRoleHelp = "viewer, operator, developer or admin: each may do what those before it may";

CLI::App* AddGroup(CLI::App& app, const char* name, const char* about, const char* footer) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->group("By itself");
  verb->fallthrough();
  verb->footer(footer);
  verb->require_subcommand(1);
  return verb;
}

CLI::App* AddPart(CLI::App* group, const char* name, const char* about, const char* footer) {
  CLI::App* verb = group->add_subcommand(name, about);
  verb->fallthrough();
  verb->footer(footer);
  return verb;
}

void AddUserVerbs(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* user = AddGroup(app, "user", "People who may use the daemon's page and API", "Example:\n  caudal user add ann --role operator");
  struct Part {
    const char *name, *about, *footer;
    bool role;
    Result<int> (*verb)(const Command&, const UserOptions&);
  };
  const Part parts[] = {
      {"add", "Let somebody in; reads the password from standard input", "Example:\n  caudal user add ann --role operator", true, UserAddVerb},
      {"password", "Give a new password, read from standard input; ends the user's sessions", "Example:\n  caudal user password ann", false, UserPasswordVerb},
      {"role", "Give another role; ends the user's sessions", "Example:\n  caudal user role ann --role viewer", true, UserRoleVerb},
      {"remove", "Let somebody in no more", "Example:\n  caudal user remove ann", false, UserRemoveVerb},
  };
  for (const Part& part : parts) {
    auto options = std::make_shared<UserOptions>();  // shared: the option's target and the callback outlive this call
    CLI::App* verb = AddPart(user, part.name, part.about, part.footer);
    verb->add_option("NAME", options->name, "The user's name")->required();
    if (part.role) verb->add_option("--role", options->role, kRoleHelp)->required();
    verb->callback([&chosen, options, run = part.verb] {
      chosen = [options, run](const Command& command) { return run(command, *options); };
    });
  }
  CLI::App* list = AddPart(user, "list", "Who may use it", "Example:\n  caudal user list");
  list->callback([&chosen] { chosen = [](const Command& command) { return UserListVerb(command); }; });
}

void AddTokenVerbs(CLI::App& app, ChosenVerb& chosen) {
  CLI::App* token = AddGroup(app, "token", "Programs that may use the daemon's API", "Example:\n  caudal token create prometheus --role viewer");
  auto options = std::make_shared<TokenOptions>();  // shared: as above
  CLI::App* create = AddPart(token, "create", "Make a token; it is shown once", "Example:\n  caudal token create ci --role operator --days 90");
  create->add_option("NAME", options->name, "What it is for")->required();
  create->add_option("--role", options->role, kRoleHelp)->required();
  create->add_option("--days", options->days, "It is good for so many days; none: until it is revoked")->check(CLI::Range(1, 3650))->type_name("N");
  create->callback([&chosen, options] {
    chosen = [options](const Command& command) { return TokenCreateVerb(command, *options); };
  });
  CLI::App* list = AddPart(token, "list", "The tokens, without themselves", "Example:\n  caudal token list");
  list->callback([&chosen] { chosen = [](const Command& command) { return TokenListVerb(command); }; });
  CLI::App* revoke = AddPart(token, "revoke", "A token is good no more", "Example:\n  caudal token revoke 3f9a12bc");
  revoke->add_option("ID", options->name, "Of `caudal token list`")->required();
  revoke->callback([&chosen, options] {
    chosen = [options](const Command& command) { return TokenRevokeVerb(command, *options); };
  });
}

}  // namespace

void AddAccessVerbs(CLI::App& app, ChosenVerb& chosen) {
  AddUserVerbs(app, chosen);
  AddTokenVerbs(app, chosen);
}

}  // namespace caudal
