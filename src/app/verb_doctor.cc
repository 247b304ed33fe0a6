// `connection test`: does each source answer. `doctor`: is everything that Caudal stands on in order.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/remote_lake.h"
#include "app/verbs.h"
#include "base/ids.h"
#include "base/json.h"
#include "flow/inspect.h"
#include "flow/maintain.h"
#include "store/atomic_probe.h"
#include "store/posix_file.h"

namespace caudal {
namespace {

constexpr std::uintmax_t kLittleSpace = 1'000'000'000;

struct Examination {
  std::string what;
  std::string found;  // in words, where it is well
  std::optional<Error> error;
};

void PrintExamination(const Console& console, const Examination& e) {
  const std::string word = e.error ? console.Paint(Color::kRed, "BAD ") : console.Paint(Color::kGreen, "OK  ");
  console.Line(fmt::format("{}  {:<10}{}", word, e.what, e.error ? e.error->message : e.found));
  if (e.error && !e.error->next.empty()) console.Line("      next: " + e.error->next);
}

Result<std::string> ExamineWorkers(Session& session) {
  RunOptions options;
  options.limits.timeout = std::chrono::seconds(30);
  // An analysis that no cache knows: only a living worker answers.
  AnalyzeJob job;
  job.queries.push_back({"doctor.probe", "SELECT 1 AS \"" + NewToken() + "\"", ""});
  JobCost cost;
  TRY_ASSIGN([[maybe_unused]] AnalyzeResult result, RunAnalyze(session.engine(), std::move(job), options, &cost));
  return "a worker started, answered and ended; peak " + SizeText(cost.peak_memory_bytes);
}

Result<std::string> ExamineStore(const Workspace& workspace) {
  const std::string key = ".doctor/" + NewToken();
  TRY(workspace.store.PutIfAbsent(key, "x"));
  const Status second = workspace.store.PutIfAbsent(key, "y");
  TRY(workspace.store.Delete(key));
  std::error_code ignored;
  if (workspace.lake_root.starts_with('/')) std::filesystem::remove(workspace.lake_root + "/.doctor", ignored);
  if (second || second.error().kind != ErrorKind::kAlreadyExists) {
    return Error{ErrorKind::kUnsupported, "two writers could create one object of the lake at " + workspace.lake_root,
                 workspace.lake_root.starts_with('/') ? "use a file system with hard links" : "`caudal doctor --store " + workspace.lake_root + "` tells more", ""};
  }
  return std::string("writable, and of two writers exactly one wins");
}

/// A place on S3 by itself, before a lake is there: reached, and raced for.
Result<int> ExaminePlace(const Console& console, const std::string& url) {
  std::error_code ignored;
  TRY_ASSIGN(auto store, OpenS3Lake(url, std::filesystem::current_path(ignored).string()));
  TRY_ASSIGN(const RaceResult race, ProveAtomic(*store));
  const std::string found = fmt::format("{} writers wanted to create one object, {} times: exactly one did, each time", race.writers, race.rounds);
  if (console.json()) {
    console.Document(Json{{"ok", true}, {"store", store->Url()}, {"writers", race.writers}, {"rounds", race.rounds}, {"bad_rounds", race.bad_rounds}});
  } else {
    PrintExamination(console, {"store", store->Url() + " answers to these keys", std::nullopt});
    PrintExamination(console, {"race", found, std::nullopt});
  }
  return kExitOk;
}

Result<std::string> ExamineSpace(const std::string& folder) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error) return PosixError(error.value(), "look at the free space of", folder);
  const std::string free = SizeText(static_cast<std::int64_t>(space.available)) + " free";
  if (space.available < kLittleSpace) {
    return Error{ErrorKind::kUnavailable, "little space is left on the disk of " + folder + ": " + free, "free some", ""};
  }
  return free;
}

Result<std::string> Repair(const Workspace& workspace, const CancelFlag& cancel) {
  TRY_ASSIGN(const std::vector<std::string> repaired, RepairFormats(workspace, &cancel));
  std::string names;
  for (const std::string& name : repaired) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "nothing to make of the logs again" : "made of the logs again: " + names;
}

std::string InWords(const LakeReport& report, bool deep) {
  if (!report.findings.empty()) return Counted(static_cast<std::int64_t>(report.findings.size()), "finding");
  const std::string all = Counted(report.data_files, "data file") + " and " + Counted(report.raw_objects, "raw object");
  return "every version is readable; " + all + (deep ? ", every byte as it was written" : " are there; --deep reads their bytes");
}

Json ExaminationDocument(const Examination& examination) {
  Json document{{"what", examination.what}, {"ok", !examination.error}, {"found", examination.found}};
  if (examination.error) document["error"] = ErrorDocument(*examination.error)["error"];
  return document;
}

Result<std::vector<const SourceConfig*>> SourcesNamed(const Project& project, const std::vector<std::string>& names) {
  std::vector<const SourceConfig*> sources;
  std::vector<std::string> all;
  for (const SourceConfig& source : project.sources) all.push_back(source.name);
  for (const std::string& name : names.empty() ? all : names) {
    const auto it = std::find_if(project.sources.begin(), project.sources.end(),
                                 [&](const SourceConfig& s) { return s.name == name; });
    if (it == project.sources.end()) {
      const std::string near = Nearest(name, all);
      return Error{ErrorKind::kNotFound, "no source is called '" + name + "'; there is " + Joined(all, 20),
                   near.empty() ? "" : "did you mean '" + near + "'?", ""};
    }
    sources.push_back(&*it);
  }
  return sources;
}

}  // namespace

Result<int> ConnectionTestVerb(const Command& command, const std::vector<std::string>& names) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const auto sources, SourcesNamed(workspace->project, names));
  const Console& console = command.console;
  Json document{{"sources", Json::array()}};
  std::optional<int> code;
  for (const SourceConfig* source : sources) {
    const Status status = CheckSource(*workspace, *source, &cancel);
    Json entry{{"source", source->name}, {"type", source->type}, {"ok", status.has_value()}};
    if (!status) entry["error"] = ErrorDocument(status.error())["error"];
    document["sources"].push_back(entry);
    if (!status) {
      const int own = ExitCodeOf(status.error().kind);
      code = code && *code != own ? kExitData : own;
    }
    if (console.json()) continue;
    const std::string word = status ? console.Paint(Color::kGreen, "OK  ") : console.Paint(Color::kRed, "FAIL");
    console.Line(fmt::format("{}  {}  ({})", word, source->name, source->type));
    if (status) continue;
    const Error& error = status.error();
    console.Line("      error: " + (error.where.empty() ? "" : error.where + ": ") + error.message);
    if (!error.next.empty()) console.Line("      next: " + error.next);
  }
  if (console.json()) console.Document(document);
  return code.value_or(kExitOk);
}

Result<int> DoctorVerb(const Command& command, const DoctorOptions& options) {
  const Console& console = command.console;
  const CancelFlag& cancel = CatchInterrupts();
  if (!options.store.empty()) return ExaminePlace(console, options.store);
  TRY_ASSIGN(auto session, Session::Open(command.global));
  std::vector<Examination> examinations;
  const auto examine = [&](const std::string& what, Result<std::string> result) {
    Examination examination{what, "", std::nullopt};
    if (result) examination.found = *std::move(result);
    if (!result) examination.error = std::move(result).error();
    if (!console.json()) PrintExamination(console, examination);
    examinations.push_back(std::move(examination));
  };
  utsname system{};
  ::uname(&system);
  examine("program", fmt::format("caudal {} on {} {} {}{}", CAUDAL_VERSION, system.sysname, system.release, system.machine,
                                 command.global.sandbox ? "" : ", workers without a sandbox (--no-sandbox)"));
  examine("workers", ExamineWorkers(*session));
  auto state = session->State();
  examine("state", state ? Result<std::string>(session->folder() + "/.caudal/state.db") : Result<std::string>(std::move(state).error()));
  auto project = session->LoadedProject();
  examine("project", project ? Result<std::string>((*project)->name + ", " + Counted(static_cast<std::int64_t>((*project)->nodes.size()), "table"))
                             : Result<std::string>(std::move(project).error()));
  std::vector<Finding> findings;
  auto workspace = session->OpenWorkspace();
  if (workspace) {
    examine("lake", ExamineStore(**workspace));
    const bool folder = (*workspace)->lake_root.starts_with('/');
    examine("space", ExamineSpace(folder ? (*workspace)->lake_root : (*workspace)->project.folder));
    if (options.repair) examine("repair", Repair(**workspace, cancel));
    auto found = ExamineLake(**workspace, options.deep ? Depth::kBytes : Depth::kSizes, &cancel);
    if (found) findings = found->findings;
    examine("tables", found ? Result<std::string>(InWords(*found, options.deep)) : Result<std::string>(std::move(found).error()));
  }
  int code = kExitOk;
  for (const Examination& examination : examinations) {
    if (examination.error && code == kExitOk) code = ExitCodeOf(examination.error->kind);
  }
  if (!findings.empty()) code = kExitCorruption;
  if (console.json()) {
    Json document{{"ok", code == kExitOk}, {"examinations", Json::array()}, {"findings", Json::array()}};
    for (const Examination& e : examinations) document["examinations"].push_back(ExaminationDocument(e));
    for (const Finding& f : findings) document["findings"].push_back({{"table", f.table}, {"what", f.what}, {"next", f.next}});
    console.Document(document);
    return code;
  }
  for (const Finding& finding : findings) {
    console.Line(fmt::format("{}  {}  {}", console.Paint(Color::kRed, "BAD "), finding.table, finding.what));
    if (!finding.next.empty()) console.Line("      next: " + finding.next);
  }
  return code;
}

}  // namespace caudal
