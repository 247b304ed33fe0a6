// `serve`: the daemon in the foreground, its log on standard error.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/release_folder.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/daemon.h"
#include "ops/alerter.h"
#include "serve/web_service.h"
#include "state/process_lock.h"

namespace caudal {
namespace {

/// logfmt: a value with blanks or quotes is quoted, control characters are escaped.
std::string TextLine(const LogLine& line) {
  std::string text = FormatTimestampMs(line.at) + " " + line.event;
  for (const auto& [name, value] : line.fields) {
    const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string::npos &&
                       std::none_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    text += " " + name + "=" + (plain ? value : DumpJson(Json(value)));
  }
  return text;
}

std::string JsonLine(const LogLine& line) {
  Json json{{"at", FormatTimestampMs(line.at)}, {"event", line.event}};
  for (const auto& [name, value] : line.fields) json[name] = value;
  return DumpJson(json);
}

/// Null where nobody wants it.
Result<std::unique_ptr<WebService>> StartWeb(const ServeOptions& options, Daemon& daemon, const std::string& state_path, const LogSink& log) {
  if (options.listen == "off") return std::unique_ptr<WebService>();
  TRY_ASSIGN(auto web, WebService::Start(WebOptions{options.listen, options.url}, daemon, state_path, SystemClock()));
  const auto tell = [&](const char* event, std::vector<std::pair<std::string, std::string>> fields) {
    log(LogLine{SystemClock().Now(), event, std::move(fields)});
  };
  tell("http.listening", {{"address", web->address()}});
  if (web->open_to_others() && !options.url.starts_with("https://")) {
    tell("http.open", {{"address", web->address()}, {"next", "passwords and tokens cross the network unencrypted: put a proxy with TLS in front, and name it by --url https://..."}});
  }
  if (web->setup_link()) tell("http.setup", {{"link", *web->setup_link()}, {"next", "opens once, for a day, and makes the first admin; or `caudal user add NAME --role admin`"}});
  return web;
}

}  // namespace

Result<int> ServeVerb(const Command& command, const ServeOptions& options) {
  const std::atomic<int>& stops = CatchStops();
  DaemonOptions daemon_options;
  TRY_ASSIGN(daemon_options.grace, ParseDuration(options.grace));
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const ProcessLock lock, ProcessLock::Take(session->folder() + "/.caudal/daemon.lock"));
  TRY_ASSIGN(StateStore * state, session->State());
  std::mutex log_mutex;
  const bool json = command.console.json();
  const LogSink log = [&](const LogLine& line) {
    const std::string text = (json ? JsonLine(line) : TextLine(line)) + "\n";
    const std::lock_guard guard(log_mutex);
    std::fputs(text.c_str(), stderr);
  };
  const auto releases = MakeReleaseFolder(*session);
  Daemon daemon(*state, SystemClock(), *releases, log, daemon_options);
  // A connection of its own: who waits for a lock there holds up no run.
  TRY_ASSIGN(const auto alert_state, MakeSqliteStore(session->folder() + "/.caudal/state.db"));
  Alerter alerter({*alert_state, SystemClock(), [&daemon] { return daemon.project(); },
                   [&log](const std::string& event, std::vector<std::pair<std::string, std::string>> fields) {
                     log(LogLine{SystemClock().Now(), event, std::move(fields)});
                   }});
  TRY_ASSIGN(const auto web, StartWeb(options, daemon, session->folder() + "/.caudal/state.db", log));
  alerter.Start();
  Status served = daemon.Serve(stops);
  if (web) web->Stop();
  alerter.Stop();
  TRY(std::move(served));
  return kExitOk;
}

}  // namespace caudal
