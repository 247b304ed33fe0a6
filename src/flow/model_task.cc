// A build: inputs as they are -> decision -> candidate -> audit -> commit of one model's table.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "flow/candidate.h"
#include "flow/model_inputs.h"
#include "flow/model_key.h"
#include "flow/reject_rows.h"
#include "flow/task.h"
#include "lake/table_config.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr int kReplans = 5;

std::string PartitionName(const std::string& column, const Cell& value) { return column + "=" + value.value_or("NULL"); }

class Build {
 public:
  Build(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome)
      : x_workspace(workspace),
        x_node(node),
        x_context(context),
        x_table(workspace.TableOf(node.table)),
        x_outcome(outcome) {}

  Status Run() {
    if (x_workspace.project.model(x_node).materialize == Materialize::kView) {
      x_outcome.note = "a view: nothing to store";
      return {};
    }
    TRY_ASSIGN(x_state, LookAtModel(x_workspace, x_workspace.project.model(x_node), x_context.cancel));
    TRY_ASSIGN(Decision decision, DecideNow());
    x_outcome.version = x_base ? x_base->version : -1;
    x_outcome.note = decision.reason;
    for (const Cell& closed : decision.closed_partitions) {
      x_outcome.note += ", closed: " + PartitionName(x_model.partition_by.front(), closed);
    }
    if (decision.action == Decision::Action::kSkip) return {};
    TRY_ASSIGN(Staging staging,
               Staging::Make(x_workspace, fmt::format("{}-{}-{}", x_context.run, x_node.table, x_context.attempt)));
    x_staging = &staging;
    Status built = Compute(decision);
    if (!built && built.error().kind == ErrorKind::kCheckFailed) staging.Keep();
    return built;
  }

 private:
  Result<Decision> DecideNow() {
    if (x_context.interval) return DecideInterval();
    return DecideNext(x_workspace, x_state, x_context.full_refresh);
  }

  Error NoBackfill(const std::string& why, const std::string& next) const {
    return Error{ErrorKind::kInvalidArgument, x_node.table + " cannot be backfilled by interval: " + why, next, x_model.place.ToString()};
  }

  /// backfill: the interval, whatever changed.
  Result<Decision> DecideInterval() {
    const std::string rebuild = "use `caudal run --full-refresh -s " + x_node.table + "`";
    if (!x_base) return NoBackfill("it was never built", "use `caudal run -s " + x_node.table + "`");
    if (x_state.built->definition != x_state.definition) {
      return NoBackfill("its definition changed since it was built", "`caudal run -s " + x_node.table + "` builds it anew");
    }
    if (RunsByInterval(x_model)) {
      if (x_model.materialize == Materialize::kAppend) return NoBackfill("it appends, so rows would be there twice", rebuild);
      Decision decision;
      decision.action = Decision::Action::kInterval;
      decision.interval = GivenInterval(x_model, *x_context.interval, x_state.time, x_workspace.clock.Now());
      decision.reason = fmt::format("backfill from {} to {}", decision.interval->from, decision.interval->to);
      return decision;
    }
    if (x_model.materialize != Materialize::kPartitions || !x_model.analysis.partition_wise) {
      return NoBackfill("it is not partition-wise", rebuild);
    }
    std::set<std::string> values;
    auto collect = [&](const Snapshot& snapshot, const std::string& column) {
      for (const LiveFile& file : snapshot.files) {
        auto it = file.partition.find(column);
        if (it != file.partition.end() && it->second) values.insert(*it->second);
      }
    };
    collect(*x_base, x_model.partition_by.front());
    for (const ModelInput& input : x_inputs.tables) {
      auto column = x_model.analysis.partition_inputs.find(input.table);
      if (column != x_model.analysis.partition_inputs.end()) collect(*input.snapshot, column->second);
    }
    Decision decision;
    const auto& [from, to] = *x_context.interval;
    for (const std::string& value : values) {
      if ((from.empty() || value >= from) && (to.empty() || value < to)) decision.partitions.push_back(value);
    }
    decision.reason = fmt::format("backfill of {} partitions", decision.partitions.size());
    decision.action = decision.partitions.empty() ? Decision::Action::kSkip : Decision::Action::kPartitions;
    return decision;
  }

  Status Compute(const Decision& decision) {
    // The query's columns, those of the history for a snapshot; ids follow from the table's past.
    const bool history = x_model.materialize == Materialize::kSnapshot;
    const bool replaces = history ? !ContinuesHistory() : decision.action == Decision::Action::kFull;
    TRY_ASSIGN(x_schema, NextColumns(x_base.get(), TableColumns(x_model), replaces));
    ComputeJob job;
    job.output_folder = x_staging->path();
    job.parameters = ParametersOf(x_workspace.project, x_model, decision.interval);
    x_interval = decision.interval;
    AddModelInputs(job, x_workspace, x_model, x_inputs, decision);
    if (x_model.materialize == Materialize::kSnapshot) return ComputeSnapshot(std::move(job));
    const bool some = decision.action == Decision::Action::kNewRows || decision.action == Decision::Action::kInterval;
    if (x_model.materialize == Materialize::kMerge && some) return ComputeMerge(std::move(job));
    Change change;
    change.operation = "OVERWRITE";
    change.kind = x_base ? ChangeKind::kOverwrite : ChangeKind::kAppend;
    switch (decision.action) {
      case Decision::Action::kSkip:
        return {};
      case Decision::Action::kFull:
        if (x_base) {
          for (const LiveFile& file : x_base->files) change.removes.push_back(file.path);
        }
        break;
      case Decision::Action::kNewRows:
        change.operation = "APPEND";
        change.kind = ChangeKind::kAppend;
        break;
      case Decision::Action::kPartitions:
        RemovePartitions(decision, change);
        break;
      case Decision::Action::kInterval:
        if (x_model.materialize == Materialize::kPartitions) {
          RemoveInterval(change);
        } else {
          change.operation = "APPEND";
          change.kind = ChangeKind::kAppend;
        }
        break;
    }
    Step out = Write("out", "");
    out.sql = x_model.sql;
    out.user_sql = true;
    out.where = x_interval ? InInterval(x_model, *x_interval) : PartitionsOnly(x_model, x_inputs, decision);
    std::string published = AddSplit(job, std::move(out));
    return Finish(std::move(job), published, std::move(change));
  }

  void RemovePartitions(const Decision& decision, Change& change) {
    const std::string& column = x_model.partition_by.front();
    for (const LiveFile& file : x_base->files) {
      auto value = file.partition.find(column);
      bool touched = value != file.partition.end() &&
                     std::find(decision.partitions.begin(), decision.partitions.end(), value->second) != decision.partitions.end();
      if (touched) change.removes.push_back(file.path);
    }
    for (const Cell& value : decision.partitions) x_outcome.partitions.push_back(PartitionName(column, value));
  }

  /// Its partitions are days of the interval's column.
  void RemoveInterval(Change& change) const {
    for (const LiveFile& file : x_base->files) {
      auto value = file.partition.find(x_model.partition_by.front());
      bool inside = value != file.partition.end() && value->second && *value->second >= x_interval->from && *value->second < x_interval->to;
      if (inside) change.removes.push_back(file.path);
    }
  }

  Step Write(const std::string& name, const std::string& sql) const {
    WriteLayout layout;
    layout.folder = x_staging->path() + "/" + name;
    layout.columns = x_schema;
    layout.partition_by = x_model.partition_by;
    return Step::Write(name, sql, std::move(layout));
  }

  /// Writes `rows`; where a check rejects some, writes them again as good and rejected ones. Gives the view of the good.
  std::string AddSplit(ComputeJob& job, Step rows) {
    std::string view = rows.name;
    RejectRule rule = RejectRuleOf(Checks(), rows.layout.columns);
    Step kept = Write("kept", fmt::format("SELECT * FROM {} WHERE NOT coalesce({}, false)", view, rule.condition));
    kept.layout.columns = rows.layout.columns;
    kept.layout.partition_by = rows.layout.partition_by;
    job.steps.push_back(std::move(rows));
    if (!rule.condition.empty()) job.steps.push_back(std::move(kept));
    const bool keyed = x_model.materialize == Materialize::kMerge || x_model.materialize == Materialize::kSnapshot;
    if (keyed) AddKeyProof(job, x_model.key, rule.condition.empty() ? view : "kept");
    if (rule.condition.empty()) return view;
    Step rejects = Write("rejects", RejectedRowsSql(view, rule, x_context.Id(x_node.table), x_workspace.clock.Now(), false));
    rejects.layout.columns = RejectSchema();
    rejects.layout.partition_by.clear();
    job.steps.push_back(std::move(rejects));
    return "kept";
  }

  static std::vector<WrittenFile> RejectsOf(const ComputeResult& result) {
    const StepResult* rejects = result.Find("rejects");
    return rejects ? rejects->files : std::vector<WrittenFile>{};
  }

  Status Finish(ComputeJob job, const std::string& published, Change change) {
    AuditScope scope;
    TRY(AddChecks(job, scope, change.removes, {published}, published));
    TRY_ASSIGN(ComputeResult result, Run(std::move(job)));
    for (const WrittenFile& file : result.Find(published)->files) change.adds.push_back({file, ""});
    change.rejects = RejectsOf(result);
    return AuditAndCommit(result, scope, std::move(change));
  }

  /// New rows by key into what is published.
  Status ComputeMerge(ComputeJob job) {
    Step changes = Write("changes", x_model.sql);
    changes.user_sql = true;
    if (x_interval) changes.where = InInterval(x_model, *x_interval);
    changes.layout.partition_by.clear();
    std::string good = AddSplit(job, std::move(changes));
    return MergeChanges(std::move(job), good, x_model.key, "MERGE");
  }

  /// True where a history can be merged into what is published, file by file: same layout, and no column that changed.
  bool ContinuesHistory() const {
    if (!x_base || x_base->partition_columns != x_model.partition_by) return false;
    const Schema columns = TableColumns(x_model);
    return std::all_of(columns.fields.begin(), columns.fields.end(), [&](const Field& field) {
      const Field* before = x_base->schema.Find(field.name);
      return before != nullptr && before->type == field.type;
    });
  }

  /// What the query says now against the open rows of the history.
  Status ComputeSnapshot(ComputeJob job) {
    Step current = Write("current_rows", x_model.sql);
    current.user_sql = true;
    current.layout.columns = x_schema;
    current.layout.columns.fields.resize(QueryColumns(x_model).fields.size());  // the history's own columns come last
    current.layout.partition_by.clear();
    RejectRule rule = RejectRuleOf(Checks(), current.layout.columns);
    std::string good = AddSplit(job, std::move(current));
    Timestamp now = x_workspace.clock.Now();
    AddPublishedHistory(job);
    std::string history = "published_history";
    if (!rule.condition.empty()) history = HistoryBeside(history, rule);
    Step changes = Write("changes", HistoryChangesSql(QueryColumns(x_model), x_model.key, history, good, now));
    changes.layout.partition_by.clear();
    std::vector<std::string> key = x_model.key;
    key.push_back("valid_from");
    job.steps.push_back(std::move(changes));
    if (ContinuesHistory()) return MergeChanges(std::move(job), "changes", key, "SNAPSHOT");
    std::string same;
    for (const std::string& column : key) same += (same.empty() ? "" : " AND ") + fmt::format("h.{0} = c.{0}", QuoteIdentifier(column));
    job.steps.push_back(Write("out", fmt::format("SELECT {0} FROM changes UNION ALL SELECT {0} FROM published_history h ANTI JOIN "
                                                 "changes c ON {1}", ColumnList(x_schema), same)));
    Change change;
    change.operation = "SNAPSHOT";
    change.kind = x_base ? ChangeKind::kOverwrite : ChangeKind::kAppend;
    if (x_base) {
      for (const LiveFile& file : x_base->files) change.removes.push_back(file.path);
    }
    return Finish(std::move(job), "out", std::move(change));
  }

  /// The view published_history: what is published, in the columns that the table has now. A table that was no history so
  /// far has none.
  void AddPublishedHistory(ComputeJob& job) const {
    bool known = x_base != nullptr;
    for (const char* own : {"valid_from", "valid_to", "is_current"}) known = known && x_base->schema.Find(own) != nullptr;
    for (const std::string& key : x_model.key) known = known && x_base->schema.Find(key) != nullptr;
    job.inputs.push_back(known ? InputOf(*x_base, "caudal_candidate", "history", KeptFiles(x_base.get(), {}),
                                         x_workspace.RootOf(x_node.table), false)
                               : TableInput{"caudal_candidate", "history", x_schema, {}, false, ""});
    std::string columns;
    for (const Field& field : x_schema.fields) {
      std::string name = QuoteIdentifier(field.name);
      std::string value = known && x_base->schema.Find(field.name) == nullptr ? "NULL" : name;
      columns += fmt::format("{}TRY_CAST({} AS {}) AS {}", columns.empty() ? "" : ", ", value, field.type.ToSql(), name);
    }
    job.steps.push_back(Step::Run("published_history",
                                  fmt::format("CREATE VIEW published_history AS SELECT {} FROM caudal_candidate.history", columns)));
  }

  /// The history without the keys whose current row is rejected: their last version stays as it is, it does not end.
  std::string HistoryBeside(const std::string& history, const RejectRule& rule) const {
    std::string same;
    for (const std::string& key : x_model.key) {
      std::string name = QuoteIdentifier(key);
      same += fmt::format("caudal_bad.{0} = caudal_history.{0} AND ", name);
    }
    return fmt::format("(SELECT * FROM {} AS caudal_history WHERE NOT EXISTS (SELECT 1 FROM current_rows AS caudal_bad "
                       "WHERE {}coalesce({}, false)))", history, same, rule.condition);
  }

  /// Merges the rows of the view `changes`, which `find` writes.
  Status MergeChanges(ComputeJob find, const std::string& changes, const std::vector<std::string>& key,
                      const std::string& operation) {
    ChangeSet found_set{changes, key, false};
    std::string root = x_workspace.RootOf(x_node.table);
    AddKeySearch(find, *x_base, KeptFiles(x_base.get(), {}), root, found_set, "touched");
    TRY_ASSIGN(ComputeResult found, Run(std::move(find)));
    if (found.Find(changes)->files.empty()) {
      Change nothing;
      nothing.operation = operation;
      nothing.rejects = RejectsOf(found);
      return Commit(std::move(nothing));  // the inputs were looked at: the record moves on
    }
    std::vector<const LiveFile*> touched = FilesNamedBy(*x_base, root, found.Find("touched")->rows);
    ComputeJob rewrite;
    TRY_ASSIGN(rewrite.output_folder, x_staging->Folder("rewrite"));
    std::vector<std::string> paths;
    for (const WrittenFile& file : found.Find(changes)->files) paths.push_back(file.path);
    rewrite.inputs.push_back({"caudal_candidate", "changes", x_schema, paths, false});
    Step view;
    view.name = "changes";
    view.sql = "CREATE VIEW changes AS SELECT * FROM caudal_candidate.changes";
    rewrite.steps.push_back(std::move(view));
    ChangeSet set{"changes", key, false};
    Snapshot target = *x_base;
    target.schema = x_schema;
    AddRewrite(rewrite, target, touched, root, set, rewrite.output_folder);
    std::vector<std::string> removes;
    for (const LiveFile* file : touched) removes.push_back(file->path);
    AuditScope scope;
    scope.proven_unique = key;
    std::vector<std::string> written = touched.empty() ? std::vector<std::string>{"inserted"}
                                                       : std::vector<std::string>{"rewritten", "inserted"};
    TRY(AddChecks(rewrite, scope, removes, written, "changes"));
    TRY_ASSIGN(ComputeResult result, Run(std::move(rewrite)));
    Change change = ChangeOfRewrite(target, touched, result);
    change.operation = operation;
    change.kind = ChangeKind::kUpsert;
    change.rejects = RejectsOf(found);
    return AuditAndCommit(result, scope, std::move(change));
  }

  Result<ComputeResult> Run(ComputeJob job) {
    RunOptions options;
    options.limits = x_workspace.Limits();
    options.cancel = x_context.cancel;
    options.progress = x_context.progress;
    JobCost spent;
    auto result = RunCompute(x_workspace.engine, std::move(job), options, &spent);
    AddCost(x_outcome.cost, spent);
    if (!result) {
      Error error = std::move(result).error();
      const bool in_project = error.where.find(':') != std::string::npos;  // else it is a step's name
      if (!in_project) error.where = x_model.place.ToString();
      if (error.next.empty() && error.kind == ErrorKind::kInvalidArgument) error.next = "`caudal render " + x_node.table + "` shows the SQL as it runs";
      return error;
    }
    if (Status key = KeyVerdict(x_node.table, *result); !key) {
      Error error = std::move(key).error();
      error.where = x_model.place.ToString();
      return error;
    }
    return result;
  }

  std::vector<CheckSpec> Checks() const { return AllChecks(x_model.columns, x_model.checks); }

  Status AddChecks(ComputeJob& job, AuditScope& scope, const std::vector<std::string>& removes,
                   const std::vector<std::string>& views, const std::string& changed) {
    std::vector<CheckSpec> checks = Checks();
    scope.table = x_node.table;
    scope.columns = x_schema;
    scope.changed = QuoteIdentifier(changed);
    scope.candidate = scope.changed;
    scope.whole = !x_state.built || x_state.built->checks != HashOfChecks(checks);
    if (x_base) scope.rows_before = x_base->rows();
    if (scope.whole || NeedsCandidate(checks)) {
      scope.candidate = AddCandidateView(job, x_workspace, x_node.table, x_base.get(), KeptFiles(x_base.get(), removes),
                                         x_schema, views);
    }
    TRY(AddRelated(job, x_workspace, checks, scope));
    AddAudit(job, scope, checks, "check_");
    return {};
  }

  Status AuditAndCommit(const ComputeResult& result, const AuditScope& scope, Change change) {
    TRY_ASSIGN(x_outcome.checks, Judge(result, scope, Checks(), "check_", x_workspace.clock.Now()));
    WarnOfPublished(x_outcome.checks);
    TRY(VerdictOf(x_node.table, x_outcome.checks, x_staging->path()));
    return Commit(std::move(change));
  }

  Status Commit(Change change) {
    change.base_version = x_base ? x_base->version : -1;
    change.task = x_context.Id(x_node.table);
    BuildRecord record;
    record.definition = x_state.definition;
    record.checks = HashOfChecks(Checks());
    for (const ModelInput& input : x_inputs.tables) {
      record.inputs[input.table] = {input.snapshot->table_id, input.snapshot->version};
    }
    if (x_interval) record.cursor = x_interval->cursor;
    if (x_context.interval) record = *x_state.built;  // what changed outside of a backfill's interval is still to be built
    change.domains["model"] = BuildRecordToJson(record);
    if (!x_base || !(x_base->schema == x_schema) || x_base->partition_columns != x_model.partition_by ||
        x_base->key != x_model.key) {
      TableDefinition definition;
      definition.name = x_node.table;
      definition.schema = x_schema;
      definition.partition_columns = x_model.partition_by;
      definition.key = x_model.key;
      change.definition = std::move(definition);
    }
    TRY_ASSIGN(CommitOutcome committed, x_table.Commit(change));
    x_outcome.status = TaskStatus::kSucceeded;
    x_outcome.version = committed.version;
    for (const AddFile& add : change.adds) {
      x_outcome.counts.written += add.file.rows;
      x_outcome.bytes_written += add.file.size_bytes;
    }
    x_outcome.counts.rejected = RowsOf(change.rejects);
    return {};
  }

  const Workspace& x_workspace;
  const Node& x_node;
  const TaskContext& x_context;
  Table x_table;
  TaskOutcome& x_outcome;
  ModelState x_state;
  const ModelConfig& x_model = x_state.model;
  const std::shared_ptr<const Snapshot>& x_base = x_state.base;
  const ModelInputs& x_inputs = x_state.inputs;
  Staging* x_staging = nullptr;
  Schema x_schema;
  std::optional<Interval> x_interval;  // of a model with $start and $end
};

}  // namespace

TaskOutcome BuildModel(const Workspace& workspace, const Node& node, const TaskContext& context) {
  TaskOutcome outcome;
  for (int replan = 0;; ++replan) {
    outcome.checks.clear();
    outcome.partitions.clear();
    Status done = Build(workspace, node, context, outcome).Run();
    if (done) return outcome;
    if (done.error().kind == ErrorKind::kConflict && replan < kReplans) continue;
    outcome.status = done.error().kind == ErrorKind::kCancelled ? TaskStatus::kCancelled : TaskStatus::kFailed;
    outcome.error = std::move(done).error();
    return outcome;
  }
}

}  // namespace caudal
