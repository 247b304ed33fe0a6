// Reads a project folder whole, then checks what only the whole can tell.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "project/bound_parameters.h"
#include "project/config_file.h"
#include "project/cross_check.h"
#include "project/expectation_words.h"
#include "project/folder.h"
#include "project/for_each.h"
#include "project/graph.h"
#include "project/project.h"
#include "project/source_file.h"
#include "project/table_pattern.h"

namespace caudal {
namespace {

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : x_options(options) {}

  LoadOutcome Run() {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::absolute(x_options.folder, error).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    x_project->folder = folder.string();
    std::vector<ProjectFile> files = ReadProjectFolder(x_project->folder, x_problems);
    if (files.empty()) return Outcome();
    x_project->hash = HashOf(files);
    Config(files);
    x_files = &files;
    for (const ProjectFile& file : files) File(file);
    NameSourcesOnce();
    for (ModelFile& model : x_models) x_project->models.push_back(model.config);
    Whole();
    return Outcome();
  }

 private:
  LoadOutcome Outcome() {
    LoadOutcome outcome;
    bool good = !x_problems.HasErrors();
    outcome.problems = x_problems.Take();
    if (good) {
      x_project->warnings = outcome.problems;
      outcome.project = std::move(x_project);
    }
    return outcome;
  }

  // What could be read of the file; false where something could not.
  bool Yaml(const ProjectFile& file, YamlNode& root) {
    YamlOutcome yaml = ReadYaml(file.text);
    for (const YamlProblem& p : yaml.problems) x_problems.Add(Place{file.path, p.line, p.column}, p.message, p.next);
    root = std::move(yaml.root);
    return yaml.problems.empty() || !root.is_null();
  }

  // Before the others, since they take its defaults.
  void Config(const std::vector<ProjectFile>& files) {
    for (const ProjectFile& file : files) {
      YamlNode root;
      if (file.kind != ProjectFile::Kind::kConfig || !Yaml(file, root)) continue;
      ParseConfigFile(root, FileContext{file.path, &x_problems}, *x_project);
    }
  }

  void File(const ProjectFile& file) {
    FileContext context{file.path, &x_problems};
    YamlNode root;
    switch (file.kind) {
      case ProjectFile::Kind::kConfig:
      case ProjectFile::Kind::kList: return;
      case ProjectFile::Kind::kModel:
        x_models.push_back(ParseModelFile(file.text, file.schema, file.name, context, *x_project));
        x_contexts.push_back(context);
        return;
      case ProjectFile::Kind::kSource: return Source(file, context);
      case ProjectFile::Kind::kPipeline:
        if (Yaml(file, root)) x_pipelines.push_back(ParsePipelineFile(root, file.name, context, *x_project));
        return;
      case ProjectFile::Kind::kTest:
        if (!Yaml(file, root)) return;
        for (TestFile& test : ParseTestFile(root, file.name, context)) x_tests.push_back(std::move(test));
        return;
    }
  }

  void Source(const ProjectFile& file, const FileContext& context) {
    YamlNode root;
    if (!Yaml(file, root)) {
      x_open_schemas.insert(file.name);
      return;
    }
    if (!HasForEach(root)) return OneSource(file.name, root, context);
    bool complete = false;
    std::vector<std::pair<std::string, ProblemList>> problems;
    for (ExpandedSource& source : ExpandForEach(root, ForEachRequest{x_files, x_project.get()}, context, complete)) {
      auto& [name, own] = problems.emplace_back(source.name, ProblemList());
      OneSource(name, source.root, FileContext{file.path, &own});
      x_project->for_each[name] = std::move(source.values);
    }
    MergeProblems(std::move(problems), x_problems);
    if (!complete) x_open_schemas.insert(kAnySchema);
  }

  void OneSource(const std::string& name, const YamlNode& root, const FileContext& context) {
    static const std::vector<ConnectorSpec> kNone;
    bool streams_known = false;
    const SourceFileRequest request{name, x_options.connectors != nullptr ? x_options.connectors : &kNone, x_project.get()};
    SourceConfig& source = x_project->sources.emplace_back(ParseSourceFile(root, request, context, streams_known));
    const ConnectorSpec* spec = SpecOf(source);
    ReadExpectations(root, source, spec, context, x_project->expectations);
    if (!streams_known) x_open_schemas.insert(name);
    if (source.patterns.empty() || spec == nullptr) return;
    const auto known = x_options.catalogs.find(name);
    const PatternRequest patterns{spec, known == x_options.catalogs.end() ? nullptr : &known->second, &x_options.published};
    ExpandPatterns(source, patterns, *context.problems, x_project->expectations);
  }

  const ConnectorSpec* SpecOf(const SourceConfig& source) const {
    if (x_options.connectors == nullptr) return nullptr;
    const auto spec = std::find_if(x_options.connectors->begin(), x_options.connectors->end(), [&](const ConnectorSpec& s) { return s.name == source.type; });
    return spec == x_options.connectors->end() ? nullptr : &*spec;
  }

  // A source that has another one's name would make the same tables: one mistake instead of one for each table.
  void NameSourcesOnce() {
    std::map<std::string, Place> seen;
    std::erase_if(x_project->sources, [&](const SourceConfig& source) {
      const auto [other, fresh] = seen.emplace(source.name, source.place);
      if (fresh) return false;
      x_problems.Add(source.place, "two sources are named '" + source.name + "' (also by " + other->second.file + ")", "rename one of them");
      return true;
    });
  }

  /// A table that is read, and that a pattern may stand for, is taken for one of its: so a project is good before its sources were
  /// asked, and a table that is new at the source can be named before a run has seen it.
  bool Adopt(TableIndex& index, const std::string& table, const Place& place) {
    if (index.Find(table) != nullptr) return true;
    const std::size_t dot = table.find('.');
    if (dot == std::string::npos) return false;
    const std::string name = table.substr(dot + 1);
    for (std::size_t s = 0; s < x_project->sources.size(); ++s) {
      const SourceConfig& source = x_project->sources[s];
      const ConnectorSpec* spec = SpecOf(source);
      if (source.name != table.substr(0, dot) || source.patterns.empty() || spec == nullptr || !WhyNoTableName(name).empty()) continue;
      std::optional<PatternStream> found = StreamByReference(source, *spec, name);
      if (!found) return false;
      const auto before = std::count_if(x_adopted.begin(), x_adopted.end(), [&](const auto& other) { return other.first == s; });
      DeclareStream(index, table, s, source.streams.size() + static_cast<std::size_t>(before), found->stream, x_options.published, x_problems);
      if (!source.asked.empty()) x_problems.Warn(place, found->stream.refused->message, found->stream.refused->next);
      if (found->pattern->expected.freshness || found->pattern->expected.volume) x_project->expectations[table] = found->pattern->expected;
      x_adopted.emplace_back(s, std::move(found->stream));
      return true;
    }
    return false;
  }

  /// What is named outside of SQL.
  void AdoptNamed(TableIndex& index) {
    const auto partners = [&](const std::vector<CheckSpec>& checks) {
      for (const CheckSpec& check : checks) {
        if (check.name == "relationships") Adopt(index, check.args.at("to"), check.place);
      }
    };
    const auto all = [&](const std::vector<ColumnConfig>& columns, const std::vector<CheckSpec>& checks) {
      for (const ColumnConfig& column : columns) partners(column.checks);
      partners(checks);
    };
    for (const SourceConfig& source : x_project->sources) {
      for (const StreamConfig& stream : source.streams) all(stream.columns, stream.checks);
    }
    for (const ModelConfig& model : x_project->models) all(model.columns, model.checks);
    for (const PipelineFile& pipeline : x_pipelines) {
      for (std::size_t i = 0; i < pipeline.config.run.size(); ++i) {
        std::string table = pipeline.config.run[i];
        table.erase(0, table.find_first_not_of("@+0123456789"));
        const std::size_t end = std::min(table.size(), table.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_."));
        const bool glob = end < table.size() && (table[end] == '*' || table[end] == '?' || table[end] == ':');
        if (!glob) Adopt(index, table.substr(0, end), pipeline.run_places[i]);
      }
    }
  }

  void Whole() {
    TableIndex index = IndexTables(*x_project, x_options.published, x_open_schemas, x_problems);
    AdoptNamed(index);
    for (std::size_t m = 0; m < x_models.size(); ++m) FindTemplates(x_models[m], index.Names(), x_contexts[m]);
    CheckedTables checked;
    if (x_options.analyzer != nullptr) {
      const AdoptTable adopt = [&](const std::string& table, const Place& place) { return Adopt(index, table, place); };
      checked = ReviewSql(*x_project, x_models, index, *x_options.analyzer, adopt, x_problems);
    }
    for (auto& [source, stream] : x_adopted) x_project->sources[source].streams.push_back(std::move(stream));
    BindParameters(*x_project);
    CheckModels(*x_project, x_models, index, x_problems);
    CheckStreams(*x_project, index, x_problems);
    CheckTests(*x_project, x_tests, index, x_problems);
    x_project->nodes = BuildNodes(*x_project, index, checked);
    // With files that could not be read, nobody knows what a selector would find.
    if (x_open_schemas.empty()) {
      CheckSchemaFormats(*x_project, index, x_problems);
      CheckPipelines(*x_project, x_pipelines, x_problems);
    }
    for (PipelineFile& pipeline : x_pipelines) x_project->pipelines.push_back(std::move(pipeline.config));
    for (TestFile& test : x_tests) x_project->tests.push_back(std::move(test.test));
  }

  const LoadOptions& x_options;
  ProblemList x_problems;
  // shared_ptr: what it is handed out as.
  std::shared_ptr<Project> x_project = std::make_shared<Project>();
  std::vector<ModelFile> x_models;
  std::vector<FileContext> x_contexts;  // of x_models
  std::vector<PipelineFile> x_pipelines;
  std::vector<TestFile> x_tests;
  std::set<std::string> x_open_schemas;
  std::vector<std::pair<std::size_t, StreamConfig>> x_adopted;  // by source; theirs when the SQL has been looked at
  const std::vector<ProjectFile>* x_files = nullptr;  // while Run reads them
};

}  // namespace

LoadOutcome LoadProject(const LoadOptions& options) { return Loader(options).Run(); }

}  // namespace caudal
