// `caudal validate`: every mistake of the project, and nothing else.
#include <fmt/format.h>

#include "app/exit_code.h"
#include "app/verbs.h"
#include "base/json.h"

namespace caudal {
namespace {

Json ProblemDocument(const Problem& problem) {
  return {{"severity", problem.warning ? "warning" : "error"},
          {"file", problem.place.file},
          {"line", problem.place.line},
          {"column", problem.place.column},
          {"message", problem.message},
          {"next", problem.next}};
}

std::string Extent(const Project& project) {
  std::int64_t streams = 0;
  for (const SourceConfig& source : project.sources) streams += static_cast<std::int64_t>(source.streams.size());
  const auto count = [](std::size_t number, std::string_view noun) {
    return Counted(static_cast<std::int64_t>(number), noun);
  };
  return fmt::format("{}: {} with {}, {}, {}, {}", project.name, count(project.sources.size(), "source"),
                     Counted(streams, "stream"), count(project.models.size(), "model"),
                     count(project.pipelines.size(), "pipeline"), count(project.tests.size(), "unit test"));
}

/// Sources that one file makes, in the order of its list.
struct Expanded {
  std::string file;
  std::vector<const SourceConfig*> sources;
};

std::vector<Expanded> ExpandedIn(const Project& project) {
  std::vector<Expanded> files;
  for (const SourceConfig& source : project.sources) {
    if (!project.for_each.contains(source.name)) continue;
    if (files.empty() || files.back().file != source.place.file) files.push_back({source.place.file, {}});
    files.back().sources.push_back(&source);
  }
  return files;
}

Json ExpandedDocument(const Project& project, const Expanded& expanded) {
  Json document{{"file", expanded.file}, {"sources", Json::array()}};
  for (const SourceConfig* source : expanded.sources) {
    Json entry{{"source", source->name}, {"values", Json::object()}, {"tables", Json::array()}};
    for (const auto& [name, value] : project.for_each.at(source->name)) entry["values"][name] = value;
    for (const StreamConfig& stream : source->streams) entry["tables"].push_back(source->name + "." + stream.name);
    document["sources"].push_back(std::move(entry));
  }
  return document;
}

void PrintExpanded(const Console& console, const Project& project, const Expanded& expanded) {
  console.Line(fmt::format("{}: for_each makes {}", expanded.file, Counted(static_cast<std::int64_t>(expanded.sources.size()), "source")));
  for (const SourceConfig* source : expanded.sources) {
    std::vector<std::string> values, streams;
    for (const auto& [name, value] : project.for_each.at(source->name)) values.push_back(name + "=" + value);
    for (const StreamConfig& stream : source->streams) streams.push_back(stream.name);
    console.Line(fmt::format("  {}: {}  ({})", source->name, Joined(streams, 6), Joined(values, 6)));
  }
}

/// The streams that each pattern stands for, of those sources that have some.
struct Meant {
  const SourceConfig* source = nullptr;
  const TablePattern* pattern = nullptr;
  std::vector<const StreamConfig*> streams;
};

std::vector<Meant> MeantIn(const Project& project) {
  std::vector<Meant> all;
  for (const SourceConfig& source : project.sources) {
    for (const TablePattern& pattern : source.patterns) {
      Meant& meant = all.emplace_back(Meant{&source, &pattern, {}});
      for (const StreamConfig& stream : source.streams) {
        if (stream.pattern == pattern.match) meant.streams.push_back(&stream);
      }
    }
  }
  return all;
}

Json MeantDocument(const Meant& meant) {
  Json document{{"source", meant.source->name}, {"match", meant.pattern->match}, {"file", meant.pattern->place.file}, {"line", meant.pattern->place.line},
                {"known", !meant.source->asked.empty()}, {"tables", Json::array()}};
  for (const StreamConfig* stream : meant.streams) {
    Json entry{{"table", meant.source->name + "." + stream->name}, {"at_source", stream->at_source}};
    if (!stream->gone.empty()) entry["gone_since"] = stream->gone;
    if (stream->refused) entry["refused"] = stream->refused->message;
    document["tables"].push_back(std::move(entry));
  }
  return document;
}

void PrintMeant(const Console& console, const Meant& meant) {
  std::vector<std::string> names;
  for (const StreamConfig* stream : meant.streams) names.push_back(stream->name + (stream->refused ? " (refused)" : stream->gone.empty() ? "" : " (gone)"));
  const std::string count = meant.source->asked.empty() ? "not known yet" : Counted(static_cast<std::int64_t>(names.size()), "table");
  console.Line(fmt::format("{}: {} of {}: {}{}", meant.pattern->place.ToString(), meant.pattern->match, meant.source->name, count,
                           names.empty() ? "" : "  (" + Joined(names, 12) + ")"));
}

}  // namespace

Result<int> ValidateVerb(const Command& command) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  const LoadOutcome outcome = session->Load();
  std::int64_t errors = 0;
  for (const Problem& problem : outcome.problems) errors += problem.warning ? 0 : 1;
  const std::int64_t warnings = static_cast<std::int64_t>(outcome.problems.size()) - errors;
  const int code = errors == 0 && outcome.project ? kExitOk : kExitUsage;

  const Console& console = command.console;
  if (console.json()) {
    Json document{{"ok", code == kExitOk}, {"errors", errors}, {"warnings", warnings}, {"problems", Json::array()}};
    for (const Problem& problem : outcome.problems) document["problems"].push_back(ProblemDocument(problem));
    if (outcome.project) {
      document["project"] = outcome.project->name;
      document["release"] = outcome.project->hash;
      document["tables"] = outcome.project->nodes.size();
      document["for_each"] = Json::array();
      for (const Expanded& expanded : ExpandedIn(*outcome.project)) document["for_each"].push_back(ExpandedDocument(*outcome.project, expanded));
      document["patterns"] = Json::array();
      for (const Meant& meant : MeantIn(*outcome.project)) document["patterns"].push_back(MeantDocument(meant));
    }
    console.Document(document);
    return code;
  }
  for (const Problem& problem : outcome.problems) {
    const std::string word = problem.warning ? console.Paint(Color::kYellow, "warning") : console.Paint(Color::kRed, "error");
    console.Line(fmt::format("{}: {}: {}", problem.place.ToString(), word, problem.message));
    if (!problem.next.empty()) console.Line("  next: " + problem.next);
  }
  if (outcome.project) {
    for (const Expanded& expanded : ExpandedIn(*outcome.project)) PrintExpanded(console, *outcome.project, expanded);
    for (const Meant& meant : MeantIn(*outcome.project)) PrintMeant(console, meant);
    console.Line(Extent(*outcome.project));
  }
  console.Line(errors + warnings == 0 ? std::string("no mistakes")
                                      : Counted(errors, "error") + ", " + Counted(warnings, "warning"));
  return code;
}

}  // namespace caudal
