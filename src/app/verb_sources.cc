// `sources`: every source with what it brought last, what was expected and what comes next. Reaches none of them but with --check.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/ask_catalogs.h"
#include "flow/inspect.h"
#include "flow/source_status.h"
#include "serve/source_document.h"

namespace caudal {
namespace {

struct Listed {
  const SourceConfig* source = nullptr;
  SourceStatus status;
  Json streams = Json::array();
  std::optional<Status> connection;  // with --check
};

Result<Listed> Look(const Workspace& workspace, const SourceConfig& source, const std::set<std::string>& paused) {
  Listed listed;
  listed.source = &source;
  std::vector<StreamStatus> streams;
  for (const StreamConfig& stream : source.streams) {
    const std::string name = source.name + "." + stream.name;
    const Table table = workspace.TableOf(name);
    TRY_ASSIGN(const auto snapshot, LatestOrNone(table));
    TRY_ASSIGN(StreamStatus status, StatusOfStream(workspace, source, stream, table, snapshot.get(), paused.contains(name)));
    listed.streams.push_back(StreamDocument(stream, status, FactsOf(snapshot.get())));
    streams.push_back(std::move(status));
  }
  listed.status = StatusOfSource(std::move(streams));
  return listed;
}

std::string Painted(const Console& console, SourceState state) {
  const std::string name(SourceStateName(state));
  if (state == SourceState::kFailed) return console.Paint(Color::kRed, name);
  if (state == SourceState::kLate || state == SourceState::kPaused) return console.Paint(Color::kYellow, name);
  return name;
}

Cell Age(const std::optional<std::chrono::milliseconds>& age) { return age ? AgeInWords(*age) : std::string(); }

std::string NewestDrift(const std::vector<Drift>& drift) {
  return drift.empty() ? "" : LocalTime(drift.back().since).substr(0, 10) + " " + DriftInWords(drift.back());
}

std::string NextOf(const Listed& listed) {
  const std::vector<StreamStatus>& streams = listed.status.streams;
  if (streams.size() == 1) return streams.front().next;
  return fmt::format("{} streams: caudal sources {}", streams.size(), listed.source->name);
}

void PrintAll(const Console& console, const Project& project, const std::vector<Listed>& all) {
  if (all.empty()) return console.Line("The project has no source. To add one: caudal init source");
  TextTable table;
  table.columns = {{"source", false}, {"type", false}, {"owner", false}, {"state", false}, {"last load", false}, {"rows", true},
                   {"lag", true},     {"expected", true}, {"drift", false}, {"next", false}};
  for (const Listed& listed : all) {
    const SourceStatus& status = listed.status;
    const std::string& owner = listed.source->owner.empty() ? project.owner : listed.source->owner;
    table.rows.push_back({listed.source->name, listed.source->type, owner, std::string(SourceStateName(status.state)),
                          status.last_load ? LocalTime(status.last_load->at) : std::string(),
                          status.last_load ? Grouped(status.last_load->rows) : std::string(), Age(status.lag), Age(status.freshness),
                          NewestDrift(status.drift), NextOf(listed)});
  }
  console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(console.width())}));
}

/// Of a stream that a pattern stands for.
std::string Meant(const StreamConfig& stream) {
  if (stream.pattern.empty()) return "";
  return fmt::format("{}  ({}){}", stream.pattern, stream.at_source, stream.gone.empty() ? "" : ", gone at the source since " + stream.gone.substr(0, 16));
}

void PrintPatterns(const Console& console, const SourceConfig& source) {
  for (const TablePattern& pattern : source.patterns) {
    const auto own = [&](const StreamConfig& stream) { return stream.pattern == pattern.match && stream.gone.empty(); };
    const auto count = std::count_if(source.streams.begin(), source.streams.end(), own);
    console.Line(fmt::format("  {:<12}{}: {}", "pattern", pattern.match, source.asked.empty() ? "its tables are not known yet" : Counted(count, "table")));
  }
}

void PrintStream(const Console& console, const StreamStatus& stream, const std::string& meant, const std::optional<Error>& refused) {
  const auto line = [&](const char* word, const std::string& text) {
    if (!text.empty()) console.Line(fmt::format("    {:<12}{}", word, text));
  };
  console.Line("");
  console.Line("  " + stream.table + "  " + Painted(console, stream.state));
  line("pattern", meant);
  if (refused) line("refused", refused->message);
  if (stream.last_load) {
    line("last load", fmt::format("{}, {} in version {}", LocalTime(stream.last_load->at), Counted(stream.last_load->rows, "row"), stream.last_load->version));
  }
  if (stream.lag) line("lag", *Age(stream.lag) + (stream.freshness ? ", expected " + *Age(stream.freshness) : ""));
  for (const Drift& drift : stream.drift) line(&drift == stream.drift.data() ? "drift" : "", LocalTime(drift.since) + "  " + DriftInWords(drift));
  if (stream.last_task) line("last task", fmt::format("{} in run {}", TaskStatusName(stream.last_task->status), stream.last_task->run));
  if (stream.last_task && stream.last_task->status == TaskStatus::kFailed) {
    line("error", stream.last_task->error);
    line("next step", stream.last_task->error_next);
  }
  line("next", stream.next);
}

void PrintOne(const Console& console, const Project& project, const Listed& listed) {
  const SourceConfig& source = *listed.source;
  console.Line(console.Paint(Color::kBold, source.name) + "  " + Painted(console, listed.status.state));
  const auto line = [&](const char* word, const std::string& text) {
    if (!text.empty()) console.Line(fmt::format("  {:<12}{}", word, text));
  };
  line("description", source.description);
  line("type", source.type);
  line("owner", source.owner.empty() ? project.owner : source.owner);
  line("tags", Joined(source.tags, 12));
  line("file", source.place.file);
  std::vector<std::string> values;
  if (const auto item = project.for_each.find(source.name); item != project.for_each.end()) {
    for (const auto& [name, value] : item->second) values.push_back(name + "=" + value);
  }
  line("for_each", Joined(values, 12));
  PrintPatterns(console, source);
  for (std::size_t i = 0; i < listed.status.streams.size(); ++i) {
    PrintStream(console, listed.status.streams[i], Meant(source.streams[i]), source.streams[i].refused);
  }
}

void PrintConnection(const Console& console, const Listed& listed) {
  const bool ok = listed.connection->has_value();
  console.Line(fmt::format("{}  {}", ok ? console.Paint(Color::kGreen, "OK  ") : console.Paint(Color::kRed, "FAIL"), listed.source->name));
  if (ok) return;
  const Error& error = listed.connection->error();
  console.Line("      error: " + (error.where.empty() ? "" : error.where + ": ") + error.message);
  if (!error.next.empty()) console.Line("      next: " + error.next);
}

/// What failures have in common, else 1; 0 of none.
int CodeOf(const std::vector<Listed>& all) {
  std::optional<int> code;
  for (const Listed& listed : all) {
    if (!listed.connection || listed.connection->has_value()) continue;
    const int own = ExitCodeOf(listed.connection->error().kind);
    code = code && *code != own ? kExitData : own;
  }
  return code.value_or(kExitOk);
}

Result<std::vector<const SourceConfig*>> Named(const Project& project, const std::string& name) {
  std::vector<const SourceConfig*> sources;
  std::vector<std::string> names;
  for (const SourceConfig& source : project.sources) {
    names.push_back(source.name);
    if (name.empty() || source.name == name) sources.push_back(&source);
  }
  if (!name.empty() && sources.empty()) {
    const std::string near = Nearest(name, names);
    return Error{ErrorKind::kNotFound, "no source is called '" + name + "'",
                 near.empty() ? "`caudal sources` lists them" : "did you mean '" + near + "'? `caudal sources` lists them", ""};
  }
  return sources;
}

}  // namespace

Result<int> SourcesVerb(const Command& command, const SourcesOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(auto sources, Named(workspace->project, options.source));
  if (options.check) {
    std::vector<const SourceConfig*> with_patterns;
    std::copy_if(sources.begin(), sources.end(), std::back_inserter(with_patterns), [](const SourceConfig* source) { return !source->patterns.empty(); });
    const CatalogLook look = AskCatalogs(*workspace, with_patterns, &cancel);
    for (const CatalogAnswer& answer : look.answers) {
      if (const std::string words = AnswerInWords(answer); !words.empty()) command.console.Remark(words);
    }
    if (look.changed) {
      TRY_ASSIGN(workspace, session->RenewWorkspace());
      TRY_ASSIGN(sources, Named(workspace->project, options.source));
    }
  }
  TRY_ASSIGN(const auto paused, PausedTables(*workspace));
  const Console& console = command.console;
  std::vector<Listed> all;
  for (const SourceConfig* source : sources) {
    TRY_ASSIGN(Listed listed, Look(*workspace, *source, paused));
    if (options.check) listed.connection = CheckSource(*workspace, *source, &cancel);
    all.push_back(std::move(listed));
  }
  if (console.json()) {
    Json document{{"sources", Json::array()}};
    for (Listed& listed : all) {
      document["sources"].push_back(SourceDocument(workspace->project, *listed.source, listed.status, std::move(listed.streams)));
      if (!listed.connection) continue;
      Json& connection = document["sources"].back()["connection"] = Json{{"ok", listed.connection->has_value()}};
      if (!*listed.connection) connection["error"] = ErrorDocument(listed.connection->error())["error"];
    }
    console.Document(document);
    return CodeOf(all);
  }
  if (options.source.empty()) {
    PrintAll(console, workspace->project, all);
  } else {
    PrintOne(console, workspace->project, all.front());
  }
  if (options.check && !all.empty()) console.Line("");
  for (const Listed& listed : all) {
    if (options.check) PrintConnection(console, listed);
  }
  return CodeOf(all);
}

}  // namespace caudal
