// A load: source -> raw -> typed candidate -> audit -> commit of one bronze table.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "connect/intake.h"
#include "data/reserved_name.h"
#include "flow/after_load.h"
#include "flow/candidate.h"
#include "flow/deduplicate.h"
#include "flow/extraction.h"
#include "flow/load_volume.h"
#include "flow/raw_history.h"
#include "flow/reject_rows.h"
#include "flow/stream_columns.h"
#include "flow/task.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr int kReplans = 5;

/// One try from one base snapshot. A conflict at its end means: begin again with a new one.
class Load {
 public:
  Load(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome)
      : x_workspace(workspace),
        x_node(node),
        x_context(context),
        x_source(workspace.project.source(node)),
        x_stream(workspace.project.stream(node)),
        x_table(workspace.TableOf(node.table)),
        x_outcome(outcome) {}

  Status Run() {
    TRY_ASSIGN(x_base, LatestOrNone(x_table));
    if (x_base && x_context.from_raw) x_rebuild = true;
    TRY_ASSIGN(Staging staging,
               Staging::Make(x_workspace, fmt::format("{}-{}-{}", x_context.run, x_node.table, x_context.attempt)));
    x_staging = &staging;
    TRY(Fetch());
    if (x_extracted.read.chunks.empty() && !Empties()) return NothingNew();
    if (x_base && !x_rebuild && !x_context.full_refresh) TRY(RefuseForeignFiles(x_extracted.read.chunks, *x_base));
    TRY(DecideSchema());
    Status built = Build();
    if (!built && built.error().kind == ErrorKind::kCheckFailed) staging.Keep();
    return built;
  }

 private:
  std::string Cursor() const {
    if (!x_base || x_context.full_refresh || x_rebuild) return "";
    auto it = x_base->domains.find("cursor");
    return it == x_base->domains.end() ? "" : it->second;
  }

  Status Fetch() {
    if (x_rebuild) return FetchFromRaw();
    Schema pinned = x_base ? x_base->schema : Schema{};
    TRY_ASSIGN(x_extracted, Extract(x_workspace, x_node, x_context, Cursor(), pinned, *x_staging, x_outcome.cost));
    RawManifest manifest;
    manifest.cursor_from = Cursor();
    manifest.cursor_to = x_extracted.read.cursor;
    manifest.definition = DefinitionOfStream(x_source, x_stream);
    manifest.objects = x_extracted.objects;
    manifest.replaces = x_extracted.read.replaces;
    if (!manifest.objects.empty() && x_extracted.read.relation_file.empty()) x_outcome.manifest = std::move(manifest);
    return {};
  }

  Status FetchFromRaw() {
    TRY_ASSIGN(auto history, x_table.History(-1, x_base->version));
    std::vector<RawObject> objects = RawObjectsOf(history, x_stream.write_disposition == WriteDisposition::kReplace);
    TRY_ASSIGN(x_extracted, Replay(x_workspace, x_node, x_context, objects, *x_staging, x_outcome.cost));
    auto cursor = x_base->domains.find("cursor");
    x_extracted.read.cursor = cursor == x_base->domains.end() ? "" : cursor->second;
    return {};
  }

  /// A relation was read whole and has no row: nothing is what replaces the table. Files that vanished say no such thing.
  bool Empties() const {
    return x_base && !x_base->files.empty() && !x_rebuild && Replaces() && !x_extracted.read.relation_columns.empty();
  }

  Status NothingNew() {
    x_outcome.version = x_base ? x_base->version : -1;
    x_outcome.note = "nothing new at the source";
    for (const std::string& note : x_extracted.read.notes) x_outcome.note += ", " + note;
    return {};
  }

  /// The table's columns: pinned ones stay; new ones of the source are added; the user's types win over inference.
  Status DecideSchema() {
    Schema found;
    if (!x_extracted.read.relation_columns.empty()) {
      TRY_ASSIGN(Json json, ParseJson(x_extracted.read.relation_columns, "the columns of " + x_node.table));
      TRY_ASSIGN(found, SchemaFromJson(json));
    } else {
      TRY_ASSIGN(found, ColumnsOfBatches());
    }
    StreamColumns columns{x_node.table, x_stream, x_base.get(), Replaces(), x_context.full_refresh};
    TRY_ASSIGN(x_schema, NextStreamColumns(columns, std::move(found), x_new_columns));
    return {};
  }

  Result<Schema> ColumnsOfBatches() {
    Schema columns;
    if (std::optional<Schema> facts = SchemaOfFacts(x_extracted.read.batches)) {
      columns = *std::move(facts);
    } else {
      TRY_ASSIGN(ComputeResult result, Compute(InferenceJob(x_extracted.read.batches)));
      TRY_ASSIGN(columns, SchemaOfInference(result));
    }
    if (Status named = RefuseReservedColumns(columns); !named) {
      Error error = std::move(named).error();
      error.where = x_stream.place.ToString();
      return error;
    }
    for (Field& field : columns.fields) {
      for (const ColumnConfig& word : x_stream.columns) {
        if (word.type && Schema{{field}}.Find(word.name)) field.type = *word.type;
      }
    }
    return columns;
  }

  Result<ComputeResult> Compute(ComputeJob job) {
    RunOptions options;
    options.limits = x_workspace.Limits();
    options.cancel = x_context.cancel;
    options.progress = x_context.progress;
    JobCost spent;
    auto result = RunCompute(x_workspace.engine, std::move(job), options, &spent);
    AddCost(x_outcome.cost, spent);
    return result;
  }

  std::vector<CheckSpec> Checks() const { return AllChecks(x_stream.columns, x_stream.checks); }

  bool Merges() const { return x_stream.write_disposition == WriteDisposition::kMerge; }
  bool Replaces() const {
    return x_rebuild || x_context.full_refresh || x_stream.write_disposition == WriteDisposition::kReplace;
  }

  Result<Step> Write(const std::string& name, const std::string& sql, const Schema& columns,
                     const std::vector<std::string>& partition_by) const {
    WriteLayout layout;
    TRY_ASSIGN(layout.folder, x_staging->Folder(name));
    layout.columns = columns;
    layout.partition_by = partition_by;
    return Step::Write(name, sql, std::move(layout));
  }

  /// Views "good" and "bad": rows to publish, rows to reject. A key must not be NULL; checks of severity reject split too.
  Status AddSplit(ComputeJob& job) {
    if (x_extracted.read.relation_file.empty()) {
      Schema columns = x_schema;  // the two that say where a row came from are the intake's own
      std::erase_if(columns.fields, [](const Field& f) { return f.name == "_source_file" || f.name == "_source_row"; });
      AddTypedRows(job, x_extracted.read, x_extracted.raw_keys, columns, x_context.Id(x_node.table),
                   x_workspace.clock.Now());
      AddParquetCount(job);
    } else {
      TRY_ASSIGN(Json json, ParseJson(x_extracted.read.relation_file, "the file of a relation"));
      TRY_ASSIGN(WrittenFile file, WrittenFileFromJson(json));
      job.inputs.push_back({"caudal_candidate", "relation", x_schema, {file.path}, false});
      job.steps.push_back(Step::Run("typed", "CREATE VIEW typed AS SELECT * FROM caudal_candidate.relation"));
      job.steps.push_back(Step::Run("rejected", "CREATE VIEW rejected AS " + NoRejectsSql()));
    }
    RejectRule rule = RejectRuleOf(Checks(), x_schema);
    std::string key_is_null;
    for (const std::string& key : x_stream.primary_key) {
      key_is_null += (key_is_null.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
    }
    if (rule.condition.empty() && key_is_null.empty()) {
      job.steps.push_back(Step::Run("good", "CREATE VIEW good AS SELECT * FROM typed"));
      job.steps.push_back(Step::Run("bad", "CREATE VIEW bad AS SELECT * FROM rejected"));
      return {};
    }
    std::string reason = rule.condition.empty() ? "'the key is NULL'" : rule.reason;
    std::string column = rule.condition.empty() ? QuoteLiteral(x_stream.primary_key.front()) : rule.column;
    std::string condition = rule.condition.empty() ? key_is_null : rule.condition;
    if (!rule.condition.empty() && !key_is_null.empty()) {
      condition = "(" + rule.condition + ") OR " + key_is_null;
      reason = "CASE WHEN " + key_is_null + " THEN 'the key is NULL' ELSE " + rule.reason + " END";
      column = "CASE WHEN " + key_is_null + " THEN " + QuoteLiteral(x_stream.primary_key.front()) + " ELSE " + rule.column + " END";
    }
    condition = "coalesce(" + condition + ", false)";
    job.steps.push_back(Step::Run("good", "CREATE VIEW good AS SELECT * FROM typed WHERE NOT " + condition));
    job.steps.push_back(Step::Run("bad", "CREATE VIEW bad AS SELECT * FROM rejected UNION ALL BY NAME " +
                                       RejectedRowsSql("typed", {condition, reason, column}, x_context.Id(x_node.table),
                                                       x_workspace.clock.Now(), true)));
    return {};
  }

  std::string NewestOfEachKey(ComputeJob& job) const {
    Precedence precedence{x_stream.primary_key, "", x_extracted.raw_keys};
    auto options = ParseJson(x_stream.options, "stream options");
    if (options && options->contains("incremental")) {
      const std::string cursor = JsonString((*options)["incremental"], "cursor", "");
      if (x_schema.Find(cursor)) precedence.cursor = cursor;
    }
    return AddDeduplicated(job, precedence);
  }

  Status Build() {
    if (Merges() && x_base && !Replaces() && !x_base->files.empty()) return BuildMerge();
    return BuildWhole();
  }

  /// Append, replace, and the first load of a merge: one job writes the candidate and measures it.
  Status BuildWhole() {
    ComputeJob job;
    job.output_folder = x_staging->path();
    TRY(AddSplit(job));
    TRY_ASSIGN(Step out, Write("out", Merges() ? NewestOfEachKey(job) : "SELECT * FROM good", x_schema, x_stream.partition_by));
    job.steps.push_back(std::move(out));
    TRY_ASSIGN(Step rejects, Write("rejects", "SELECT * FROM bad", RejectSchema(), {}));
    job.steps.push_back(std::move(rejects));
    if (Merges()) AddCount(job, "good_count", "good");

    Change change;
    change.operation = x_rebuild ? "REBUILD" : Replaces() && x_base ? "REPLACE" : "APPEND";
    change.kind = Replaces() && x_base ? ChangeKind::kOverwrite : ChangeKind::kAppend;
    std::vector<std::string> repaired;
    if (Replaces() && x_base) {
      for (const LiveFile& file : x_base->files) change.removes.push_back(file.path);
    } else {
      TRY(AddRepairs(job, change, repaired));
    }
    AuditScope scope;
    if (Merges()) scope.proven_unique = x_stream.primary_key;
    TRY(AddChecks(job, scope, change.removes, repaired, {"out"}, "out"));
    TRY_ASSIGN(ComputeResult result, Compute(std::move(job)));
    const StepResult* written = result.Find("out");
    for (const WrittenFile& file : written->files) change.adds.push_back({file, ""});
    for (const std::string& name : repaired) {
      for (const WrittenFile& file : result.Find(name)->files) change.adds.push_back({file, ""});
    }
    x_counts.written = RowsOf(written->files);
    TRY(CountRows(result));
    return AuditAndCommit(result, scope, std::move(change));
  }

  /// Rows of files that came again: what is left of the published files that hold them is written anew.
  Status AddRepairs(ComputeJob& job, Change& change, std::vector<std::string>& steps) {
    if (x_extracted.read.replaces.empty() || !x_base) return {};
    TRY_ASSIGN(auto history, x_table.History(-1, x_base->version));
    std::string keys;
    for (const CommitRecord& commit : history) {
      for (const RawObject& object : commit.raw) {
        if (x_extracted.read.replaces.contains(object.origin)) keys += (keys.empty() ? "" : ", ") + QuoteLiteral(object.key);
      }
    }
    if (keys.empty()) return {};
    ComputeJob search;
    search.inputs.push_back(InputOf(*x_base, "caudal_candidate", "published", KeptFiles(x_base.get(), {}),
                                    x_workspace.RootOf(x_node.table), true));
    search.steps.push_back(Step::Query("holders", fmt::format("SELECT DISTINCT {} FROM caudal_candidate.published WHERE _source_file IN ({})",
                                                              kOriginColumn, keys),
                                       static_cast<std::int64_t>(x_base->files.size())));
    TRY_ASSIGN(ComputeResult holders, Compute(std::move(search)));
    std::vector<const LiveFile*> touched =
        FilesNamedBy(*x_base, x_workspace.RootOf(x_node.table), holders.Find("holders")->rows);
    if (touched.empty()) return {};
    change.operation = "REPAIR";
    change.kind = ChangeKind::kOverwrite;
    for (const LiveFile* file : touched) change.removes.push_back(file->path);
    job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "touched", touched, x_workspace.RootOf(x_node.table), false));
    TRY_ASSIGN(Step rest, Write("rest", "SELECT * FROM caudal_candidate.touched WHERE _source_file NOT IN (" + keys + ")",
                                x_schema, x_stream.partition_by));
    job.steps.push_back(std::move(rest));
    steps.push_back("rest");
    return {};
  }

  static void AddCount(ComputeJob& job, const std::string& name, const std::string& from) {
    job.steps.push_back(Step::Query(name, "SELECT count(*) FROM " + from, 1));
  }

  /// Rows of staged Parquet files: nobody counted them on their way in, their footers say it.
  void AddParquetCount(ComputeJob& job) const {
    std::string paths;
    for (const StagedBatch& batch : x_extracted.read.batches) {
      if (batch.kind == "parquet") paths += (paths.empty() ? "" : ", ") + QuoteLiteral(batch.path);
    }
    if (!paths.empty()) AddCount(job, "parquet_count", "read_parquet([" + paths + "])");
  }

  /// Merge into what is published: find the files that hold the keys, then write those files anew.
  Status BuildMerge() {
    ComputeJob find;
    find.output_folder = x_staging->path();
    TRY(AddSplit(find));
    TRY_ASSIGN(Step changes, Write("changes", NewestOfEachKey(find), x_schema, {}));
    find.steps.push_back(std::move(changes));
    TRY_ASSIGN(Step rejects, Write("rejects", "SELECT * FROM bad", RejectSchema(), {}));
    find.steps.push_back(std::move(rejects));
    AddCount(find, "good_count", "good");
    std::string root = x_workspace.RootOf(x_node.table);
    ChangeSet set{"changes", x_stream.primary_key, false};
    AddKeySearch(find, *x_base, KeptFiles(x_base.get(), {}), root, set, "touched");
    TRY_ASSIGN(ComputeResult found, Compute(std::move(find)));

    std::vector<const LiveFile*> touched = FilesNamedBy(*x_base, root, found.Find("touched")->rows);
    TRY_ASSIGN(const bool again, CameAgain(found, touched));
    if (again) return CommitNoChange(found);
    ComputeJob rewrite;
    TRY_ASSIGN(rewrite.output_folder, x_staging->Folder("rewrite"));
    std::vector<std::string> paths;
    for (const WrittenFile& file : found.Find("changes")->files) paths.push_back(file.path);
    rewrite.inputs.push_back({"caudal_candidate", "changes", x_schema, paths, false});
    rewrite.steps.push_back(Step::Run("changes", "CREATE VIEW changes AS SELECT * FROM caudal_candidate.changes"));
    // The files are written under the table's new columns: those that an old file lacks are NULL.
    Snapshot target = *x_base;
    target.schema = x_schema;
    AddRewrite(rewrite, target, touched, root, set, rewrite.output_folder);
    std::vector<std::string> removes;
    for (const LiveFile* file : touched) removes.push_back(file->path);
    AuditScope scope;
    scope.proven_unique = x_stream.primary_key;
    std::vector<std::string> written = touched.empty() ? std::vector<std::string>{"inserted"}
                                                       : std::vector<std::string>{"rewritten", "inserted"};
    TRY(AddChecks(rewrite, scope, removes, {}, written, "changes"));
    TRY_ASSIGN(ComputeResult result, Compute(std::move(rewrite)));
    Change change = ChangeOfRewrite(target, touched, result);
    change.operation = "MERGE";
    change.kind = ChangeKind::kUpsert;
    x_counts.written = RowsOf(found.Find("changes")->files);
    TRY(CountRows(found));
    return AuditAndCommit(result, scope, std::move(change));
  }

  /// True where every row stands in the table already, just as it came: a cursor reads its last rows again.
  Result<bool> CameAgain(const ComputeResult& found, const std::vector<const LiveFile*>& touched) {
    const std::vector<WrittenFile>& changes = found.Find("changes")->files;
    std::int64_t matched = 0;
    for (const auto& row : found.Find("touched")->rows.rows) matched += std::stoll(row.at(1).value_or("0"));
    const bool nested = std::any_of(x_schema.fields.begin(), x_schema.fields.end(), [](const Field& f) { return f.type.nested(); });
    const bool same_columns = x_schema == x_base->schema && x_base->key == x_stream.primary_key;
    if (nested || !same_columns || ChecksChanged() || changes.empty() || matched != RowsOf(changes)) return false;
    std::string columns;
    for (const Field& field : x_schema.fields) {
      if (IsReservedColumn(field.name)) continue;
      columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(field.name);
    }
    ComputeJob job;
    std::vector<std::string> paths;
    for (const WrittenFile& file : changes) paths.push_back(file.path);
    job.inputs.push_back({"caudal_candidate", "changes", x_schema, paths, false});
    job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "touched", touched, x_workspace.RootOf(x_node.table), false));
    AddCount(job, "other", fmt::format("(SELECT {0} FROM caudal_candidate.changes EXCEPT SELECT {0} FROM caudal_candidate.touched)", columns));
    TRY_ASSIGN(const ComputeResult compared, Compute(std::move(job)));
    return compared.Find("other")->rows.rows.at(0).at(0) == "0";
  }

  /// The cursor, the raw objects and the rejects go on record; the rows stay as they are.
  Status CommitNoChange(const ComputeResult& found) {
    x_counts.written = 0;
    TRY(CountRows(found));
    Change change;
    change.operation = "MERGE";
    change.kind = ChangeKind::kNone;
    TRY(Commit(std::move(change)));
    x_outcome.status = TaskStatus::kUnchanged;
    x_outcome.note = fmt::format("{} rows came again as they are", x_counts.deduplicated);
    return {};
  }

  Status AddChecks(ComputeJob& job, AuditScope& scope, const std::vector<std::string>& removes,
                   const std::vector<std::string>& more_views, std::vector<std::string> views, const std::string& changed) {
    std::vector<CheckSpec> checks = Checks();
    scope.table = x_node.table;
    scope.columns = x_schema;
    scope.changed = QuoteIdentifier(changed);
    scope.candidate = scope.changed;
    scope.whole = !x_base || ChecksChanged();
    if (x_base) scope.rows_before = x_base->rows();
    views.insert(views.end(), more_views.begin(), more_views.end());
    if (scope.whole || NeedsCandidate(checks)) {
      scope.candidate = AddCandidateView(job, x_workspace, x_node.table, x_base.get(), KeptFiles(x_base.get(), removes),
                                         x_schema, views);
      x_blind = false;
    }
    TRY(AddRelated(job, x_workspace, checks, scope));
    AddAudit(job, scope, checks, "check_");
    return {};
  }

  bool ChecksChanged() const {
    auto it = x_base->domains.find("checks");
    return it == x_base->domains.end() || it->second != DumpJson(Json(HashOfChecks(Checks())));
  }

  Status CountRows(const ComputeResult& result) {
    x_counts.read = 0;
    for (const StagedBatch& batch : x_extracted.read.batches) x_counts.read += batch.rows;
    x_counts.read += x_extracted.read.rejected;
    if (const StepResult* parquet = result.Find("parquet_count")) {
      x_counts.read += std::stoll(parquet->rows.rows.at(0).at(0).value_or("0"));
    }
    if (!x_extracted.read.relation_file.empty()) {
      TRY_ASSIGN(Json json, ParseJson(x_extracted.read.relation_file, "the file of a relation"));
      TRY_ASSIGN(WrittenFile file, WrittenFileFromJson(json));
      x_counts.read = file.rows;
    }
    x_counts.rejected = RowsOf(result.Find("rejects")->files);
    x_rejects = result.Find("rejects")->files;
    if (const StepResult* good = result.Find("good_count")) {
      x_counts.deduplicated = std::stoll(good->rows.rows.at(0).at(0).value_or("0")) - x_counts.written;
    }
    if (x_counts.read == x_counts.written + x_counts.rejected + x_counts.deduplicated) return {};
    return Error{ErrorKind::kInternal,
                 fmt::format("{}: {} rows were read, but {} were written, {} rejected and {} deduplicated", x_node.table,
                             x_counts.read, x_counts.written, x_counts.rejected, x_counts.deduplicated),
                 "nothing was published; please report this with the raw file", ""};
  }

  Status AuditAndCommit(const ComputeResult& result, const AuditScope& scope, Change change) {
    TRY_ASSIGN(x_outcome.checks, Judge(result, scope, Checks(), "check_", x_workspace.clock.Now()));
    WarnOfPublished(x_outcome.checks);
    const LoadAtHand load{x_stream, x_workspace.project.ExpectedOf(x_node.table), x_table, x_base.get(), x_extracted, x_counts.read, x_rebuild || x_context.full_refresh};
    TRY_ASSIGN(auto volume, CheckVolume(load));
    if (volume) x_outcome.checks.push_back(*std::move(volume));
    TRY(VerdictOf(x_node.table, x_outcome.checks, x_staging->path()));
    return Commit(std::move(change));
  }

  Status Commit(Change change) {
    change.base_version = x_base ? x_base->version : -1;
    change.task = x_context.Id(x_node.table);
    change.rejects = x_rejects;
    change.raw = x_extracted.objects;
    change.counts = x_counts;
    change.blind = x_blind && change.removes.empty();
    change.domains["checks"] = DumpJson(Json(HashOfChecks(Checks())));
    if (!x_extracted.read.cursor.empty()) change.domains["cursor"] = x_extracted.read.cursor;
    if (!x_base || !(x_base->schema == x_schema) || x_base->key != x_stream.primary_key ||
        x_base->partition_columns != x_stream.partition_by) {
      TableDefinition definition;
      definition.name = x_node.table;
      definition.schema = x_schema;
      definition.partition_columns = x_stream.partition_by;
      definition.key = x_stream.primary_key;
      change.definition = std::move(definition);
    }
    TRY_ASSIGN(CommitOutcome committed, x_table.Commit(change));
    x_outcome.status = TaskStatus::kSucceeded;
    x_outcome.version = committed.version;
    x_outcome.counts = x_counts;
    x_outcome.manifest.reset();
    for (const AddFile& add : change.adds) x_outcome.bytes_written += add.file.size_bytes;
    x_outcome.note = ReadInWords(x_extracted, x_counts.read);
    for (const std::string& column : x_new_columns) x_outcome.note += ", new column " + column;
    for (const std::string& note : x_extracted.read.notes) x_outcome.note += ", " + note;
    return {};
  }

  const Workspace& x_workspace;
  const Node& x_node;
  const TaskContext& x_context;
  const SourceConfig& x_source;
  const StreamConfig& x_stream;
  Table x_table;
  TaskOutcome& x_outcome;
  std::shared_ptr<const Snapshot> x_base;
  Staging* x_staging = nullptr;
  Extracted x_extracted;
  Schema x_schema;
  RowCounts x_counts;
  std::vector<WrittenFile> x_rejects;
  std::vector<std::string> x_new_columns;
  bool x_rebuild = false;
  bool x_blind = true;
};

}  // namespace

TaskOutcome LoadStream(const Workspace& workspace, const Node& node, const TaskContext& context) {
  TaskOutcome outcome;
  for (int replan = 0;; ++replan) {
    outcome.checks.clear();
    Status done = Load(workspace, node, context, outcome).Run();
    if (done) {
      AfterLoad(workspace, node, context, outcome);
      return outcome;
    }
    if (done.error().kind == ErrorKind::kConflict && replan < kReplans) continue;
    outcome.status = done.error().kind == ErrorKind::kCancelled ? TaskStatus::kCancelled : TaskStatus::kFailed;
    bool about_rows = done.error().kind == ErrorKind::kCheckFailed || done.error().kind == ErrorKind::kCorruption;
    if (about_rows) outcome.manifest.reset();
    outcome.error = std::move(done).error();
    return outcome;
  }
}

}  // namespace caudal
