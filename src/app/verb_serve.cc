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
  alerter.Start();
  Status served = daemon.Serve(stops);
  alerter.Stop();
  TRY(std::move(served));
  return kExitOk;
}

}  // namespace caudal
