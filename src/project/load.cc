// Reads a project folder whole, then checks what only the whole can tell.
#include <algorithm>
#include <filesystem>
#include <map>
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
    const SourceConfig& source = x_project->sources.emplace_back(ParseSourceFile(root, request, context, streams_known));
    const auto spec = std::find_if(request.connectors->begin(), request.connectors->end(),
                                   [&](const ConnectorSpec& s) { return s.name == source.type; });
    ReadExpectations(root, source, spec == request.connectors->end() ? nullptr : &*spec, context, x_project->expectations);
    if (!streams_known) x_open_schemas.insert(name);
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

  void Whole() {
    TableIndex index = IndexTables(*x_project, x_options.published, x_open_schemas, x_problems);
    for (std::size_t m = 0; m < x_models.size(); ++m) FindTemplates(x_models[m], index.Names(), x_contexts[m]);
    CheckedTables checked;
    if (x_options.analyzer != nullptr) {
      checked = ReviewSql(*x_project, x_models, index, *x_options.analyzer, x_problems);
    }
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
  const std::vector<ProjectFile>* x_files = nullptr;  // while Run reads them
};

}  // namespace

LoadOutcome LoadProject(const LoadOptions& options) { return Loader(options).Run(); }

}  // namespace caudal
