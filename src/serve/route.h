// What the HTTP API is made of: one table of routes, and what their handlers are given.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flow/daemon.h"
#include "serve/access.h"
#include "serve/http_message.h"
#include "serve/lake_view.h"
#include "serve/release_facts.h"

namespace caudal {

/// What handlers work with; all of it outlives the server, and is thread-safe.
struct Served {
  Daemon& daemon;
  StateStore& state;  // a connection of its own: who reads here holds up no run
  Access& access;
  LakeView& lake;
  ReleaseFacts& facts;
  const Clock& clock;
  Timestamp since;
  bool secure = false;  // browsers reach it by https
  std::function<std::size_t()> connections;
};

/// One request to a route that may be called by who calls it.
struct Call {
  const HttpRequest& request;
  Principal who;  // role kNone: anybody
  std::map<std::string, std::string> words;  // of the path, decoded
  std::map<std::string, std::string> query;  // decoded; only names that the route knows

  const std::string& Word(const std::string& name) const { return words.at(name); }
  /// "" where it is not given.
  std::string Query(const std::string& name) const;
  /// Errors: kInvalidArgument naming it.
  Result<std::int64_t> Number(const std::string& name, std::int64_t least, std::int64_t most, std::int64_t fallback) const;
};

using RouteHandler = Result<HttpResponse> (*)(const Served&, const Call&);

struct Route {
  const char* method;
  const char* path;   // "/api/v1/runs/{run}"
  Role role;          // the least that may call it
  const char* query;  // names of its query parameters, with blanks between
  bool body;          // takes a JSON document
  RouteHandler handler;
  bool kept = false;  // its answer comes from the state store, the daemon and the project alone, and is the same for everybody
};

/// Every route there is. src/serve/openapi.json says the same, which a test compares.
const std::vector<Route>& Routes();

/// The project as it is now. Errors: kUnavailable before the first.
Result<std::shared_ptr<const Workspace>> WorkspaceNow(const Served& served);

}  // namespace caudal
