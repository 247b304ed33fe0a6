// How a load's candidate is built: rows to publish and rows to reject, appended, replacing or merged, and measured.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "connect/intake.h"
#include "data/reserved_name.h"
#include "flow/candidate.h"
#include "flow/deduplicate.h"
#include "flow/load.h"
#include "flow/reject_rows.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

// A larger one is better cut into several: later merges rewrite whole files.
constexpr std::int64_t kMostAsItIs = std::int64_t{512} << 20;

std::vector<std::string> PathsOf(const StepResult& step) {
  std::vector<std::string> paths;
  for (const WrittenFile& file : step.files) paths.push_back(file.path);
  return paths;
}

}  // namespace

/// Views "typed", "rejected" and "misfits" of what was read; of a replay those of the chosen rows, as tables "typed_chosen", ...
Status Load::AddTyped(ComputeJob& job) {
  if (x_extracted.read.relation_file.empty()) {
    Schema columns = x_schema;  // the two that say where a row came from are the intake's own
    std::erase_if(columns.fields, [](const Field& f) { return f.name == "_source_file" || f.name == "_source_row"; });
    const auto& batches = x_extracted.read.batches;
    const bool texts = std::any_of(batches.begin(), batches.end(), [](const StagedBatch& batch) { return batch.kind != "parquet"; });
    for (Field field : x_refused.fields) {
      if (texts || field.type.kind != TypeKind::kBlob) field.type = Type{TypeKind::kVarchar, 0, 0, {}};  // any value will do: it is counted
      columns.fields.push_back(std::move(field));
    }
    const Misfit misfit = x_stream.contract.data_type == ContractMode::kDiscardValue ? Misfit::kNull : Misfit::kReject;
    AddTypedRows(job, x_extracted.read, x_extracted.raw_keys, columns, misfit, x_context.Id(x_node.table), x_workspace.clock.Now());
    if (x_replay) return AddChosen(job);
    AddParquetCount(job);
    return {};
  }
  TRY_ASSIGN(Json json, ParseJson(x_extracted.read.relation_file, "the file of a relation"));
  TRY_ASSIGN(WrittenFile file, WrittenFileFromJson(json));
  // Under the ids that the file has; what the source lacks is NULL, under one that no file has.
  TRY_ASSIGN(Json own, ParseJson(x_extracted.read.relation_columns, "the columns of " + x_node.table));
  TRY_ASSIGN(Schema columns, SchemaFromJson(own));
  std::int32_t nowhere = 2'000'000;
  for (Field field : x_schema.fields) {
    if (columns.Find(field.name) != nullptr) continue;
    field.id = nowhere++;
    columns.fields.push_back(std::move(field));
  }
  job.inputs.push_back({"caudal_candidate", "relation", columns, {file.path}, false});
  job.steps.push_back(Step::Run("typed", "CREATE VIEW typed AS SELECT * FROM caudal_candidate.relation"));
  job.steps.push_back(Step::Run("rejected", "CREATE VIEW rejected AS " + NoRejectsSql()));
  return {};
}

/// Rows with a value in a column that the contract keeps out by rows.
void Load::AddRefusedColumns(std::string& condition, std::string& reason, std::string& column) const {
  if (x_stream.contract.columns != ContractMode::kDiscardRow) return;
  for (const Field& field : x_refused.fields) {
    const std::string has = QuoteIdentifier(field.name) + " IS NOT NULL";
    const std::string why = QuoteLiteral("the column " + field.name + " is new, and the contract discards rows with it");
    reason = "CASE WHEN " + has + " THEN " + why + (reason.empty() ? "" : " ELSE " + reason) + " END";
    column = "CASE WHEN " + has + " THEN " + QuoteLiteral(field.name) + (column.empty() ? "" : " ELSE " + column) + " END";
    condition = condition.empty() ? has : has + " OR (" + condition + ")";
  }
}

/// Views "good" and "bad": rows to publish, rows to reject. A key must not be NULL; checks of severity reject split too.
Status Load::AddSplit(ComputeJob& job) {
  TRY(AddTyped(job));
  const std::string typed = x_replay ? "typed_chosen" : "typed";
  const std::string rejected = x_replay ? "rejected_chosen" : "rejected";
  RejectRule rule = RejectRuleOf(Checks(), x_schema);
  std::string key_is_null;
  for (const std::string& key : x_stream.primary_key) {
    key_is_null += (key_is_null.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
  }
  std::string reason = rule.reason, column = rule.column, condition = rule.condition;
  if (!key_is_null.empty()) {
    reason = "CASE WHEN " + key_is_null + " THEN 'the key is NULL'" + (reason.empty() ? "" : " ELSE " + reason) + " END";
    column = "CASE WHEN " + key_is_null + " THEN " + QuoteLiteral(x_stream.primary_key.front()) + (column.empty() ? "" : " ELSE " + column) + " END";
    condition = condition.empty() ? key_is_null : "(" + condition + ") OR " + key_is_null;
  }
  AddRefusedColumns(condition, reason, column);
  if (condition.empty()) {
    job.steps.push_back(Step::Run("good", "CREATE VIEW good AS SELECT * FROM " + typed));
    job.steps.push_back(Step::Run("bad", "CREATE VIEW bad AS SELECT * FROM " + rejected));
    return {};
  }
  condition = "coalesce(" + condition + ", false)";
  job.steps.push_back(Step::Run("good", "CREATE VIEW good AS SELECT * FROM " + typed + " WHERE NOT " + condition));
  job.steps.push_back(Step::Run("bad", "CREATE VIEW bad AS SELECT * FROM " + rejected + " UNION ALL BY NAME " +
                                     RejectedRowsSql(typed, {condition, reason, column}, x_context.Id(x_node.table),
                                                     x_workspace.clock.Now(), true)));
  return {};
}

/// Which values did not fit, and what was in columns that the contract keeps out. After the step "rejects".
void Load::AddDriftQueries(ComputeJob& job) const {
  constexpr std::int64_t kMostColumns = 10'000;
  const auto summary = [](const std::string& from) {
    return "SELECT _column, count(*), first(_source_file ORDER BY _source_file, _source_row), first(_source_row ORDER BY _source_file, _source_row), "
           "first(_value ORDER BY _source_file, _source_row) FROM " + from + " GROUP BY _column ORDER BY _column";
  };
  job.steps.push_back(Step::Query("drift_rejected", summary("rejects WHERE _column IS NOT NULL AND regexp_matches(_reason, '^not a [A-Z]')"), kMostColumns));
  const bool nulls = x_stream.contract.data_type == ContractMode::kDiscardValue && x_extracted.read.relation_file.empty();
  if (nulls) job.steps.push_back(Step::Query("drift_nulled", summary(x_replay ? "misfits_chosen" : "misfits"), kMostColumns));
  if (x_refused.fields.empty()) return;
  std::string counts;
  for (const Field& field : x_refused.fields) counts += (counts.empty() ? "" : ", ") + ("count(" + QuoteIdentifier(field.name) + ")");
  job.steps.push_back(Step::Query("drift_refused", "SELECT " + counts + " FROM " + (x_replay ? "typed_chosen" : "typed"), 1));
}

std::string Load::NewestOfEachKey(ComputeJob& job) const {
  Precedence precedence{x_stream.primary_key, "", x_replay ? x_replay->arrival : x_extracted.raw_keys};
  auto options = ParseJson(x_stream.options, "stream options");
  if (options && options->contains("incremental")) {
    const std::string cursor = JsonString((*options)["incremental"], "cursor", "");
    if (x_schema.Find(cursor)) precedence.cursor = cursor;
  }
  const std::string newest = AddDeduplicated(job, precedence);
  return x_replay ? NewerThanPublished(job, newest, precedence.cursor) : newest;
}

Status Load::Build() {
  if (Merges() && x_base && !Replaces() && !x_base->files.empty()) return BuildMerge();
  return BuildWhole();
}

/// The raw file of a database's rows, where it can be published as it is: every row is good, under just the table's columns.
Result<std::optional<WrittenFile>> Load::ReadyFile() const {
  const std::optional<WrittenFile> none;
  if (Merges() || x_extracted.read.relation_file.empty() || !x_stream.partition_by.empty() || !x_refused.fields.empty()) return none;
  if (!RejectRuleOf(Checks(), x_schema).condition.empty()) return none;
  TRY_ASSIGN(const Json own, ParseJson(x_extracted.read.relation_columns, "the columns of " + x_node.table));
  TRY_ASSIGN(const Schema columns, SchemaFromJson(own));
  TRY_ASSIGN(const Json json, ParseJson(x_extracted.read.relation_file, "the file of a relation"));
  TRY_ASSIGN(WrittenFile file, WrittenFileFromJson(json));
  if (!(columns == x_schema) || file.size_bytes > kMostAsItIs) return none;
  for (const std::string& key : x_stream.primary_key) {
    const auto stats = file.columns.find(key);
    if (stats == file.columns.end() || stats->second.null_count != 0) return none;
  }
  return std::optional(std::move(file));
}

/// Append, replace, and the first load of a merge: one job writes the candidate and measures it.
Status Load::BuildWhole() {
  ComputeJob job;
  job.output_folder = x_staging->path();
  TRY(AddSplit(job));
  TRY_ASSIGN(const std::optional<WrittenFile> ready, ReadyFile());
  if (ready) {
    job.steps.push_back(Step::Run("out", "CREATE VIEW out AS SELECT * FROM good"));
  } else {
    TRY_ASSIGN(Step out, Write("out", Merges() ? NewestOfEachKey(job) : "SELECT * FROM good", x_schema, x_stream.partition_by));
    job.steps.push_back(std::move(out));
  }
  TRY_ASSIGN(Step rejects, Write("rejects", "SELECT * FROM bad", RejectSchema(), {}));
  job.steps.push_back(std::move(rejects));
  AddDriftQueries(job);
  if (Merges()) AddCount(job, "good_count", "good");

  Change change;
  change.operation = x_replay ? "REPLAY" : x_rebuild ? "REBUILD" : Replaces() && x_base ? "REPLACE" : "APPEND";
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
  TRY(TakeDrift(result));
  const std::vector<WrittenFile> written = ready ? std::vector<WrittenFile>{*ready} : result.Find("out")->files;
  for (const WrittenFile& file : written) change.adds.push_back({file, ""});
  for (const std::string& name : repaired) {
    for (const WrittenFile& file : result.Find(name)->files) change.adds.push_back({file, ""});
  }
  x_counts.written = RowsOf(written);
  TRY(CountRows(result));
  return AuditAndCommit(result, scope, std::move(change));
}

/// Rows of files that came again: what is left of the published files that hold them is written anew.
Status Load::AddRepairs(ComputeJob& job, Change& change, std::vector<std::string>& steps) {
  if (x_extracted.read.replaces.empty() || !x_base) return {};
  TRY_ASSIGN(auto history, x_table.History(-1, x_base->version));
  std::string keys;
  for (const CommitRecord& commit : history) {
    for (const RawObject& object : commit.raw) {
      if (x_extracted.read.replaces.contains(object.origin)) keys += (keys.empty() ? "" : ", ") + QuoteLiteral(object.key);
    }
  }
  if (keys.empty()) return {};
  change.operation = "REPAIR";  // also where all their rows were rejected: their raw objects count no more
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
  change.kind = ChangeKind::kOverwrite;
  for (const LiveFile* file : touched) change.removes.push_back(file->path);
  job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "touched", touched, x_workspace.RootOf(x_node.table), false));
  TRY_ASSIGN(Step rest, Write("rest", "SELECT * FROM caudal_candidate.touched WHERE _source_file NOT IN (" + keys + ")",
                              x_schema, x_stream.partition_by));
  job.steps.push_back(std::move(rest));
  steps.push_back("rest");
  return {};
}

void Load::AddCount(ComputeJob& job, const std::string& name, const std::string& from) {
  job.steps.push_back(Step::Query(name, "SELECT count(*) FROM " + from, 1));
}

/// Rows of staged Parquet files: nobody counted them on their way in, their footers say it.
void Load::AddParquetCount(ComputeJob& job) const {
  std::string paths;
  for (const StagedBatch& batch : x_extracted.read.batches) {
    if (batch.kind == "parquet") paths += (paths.empty() ? "" : ", ") + QuoteLiteral(batch.path);
  }
  if (!paths.empty()) AddCount(job, "parquet_count", "read_parquet([" + paths + "])");
}

/// Merge into what is published: find the files that hold the keys, then write those files anew.
Status Load::BuildMerge() {
  ComputeJob find;
  find.output_folder = x_staging->path();
  TRY(AddSplit(find));
  TRY_ASSIGN(Step changes, Write("changes", NewestOfEachKey(find), x_schema, {}));
  find.steps.push_back(std::move(changes));
  TRY_ASSIGN(Step rejects, Write("rejects", "SELECT * FROM bad", RejectSchema(), {}));
  find.steps.push_back(std::move(rejects));
  AddDriftQueries(find);
  AddCount(find, "good_count", "good");
  std::string root = x_workspace.RootOf(x_node.table);
  if (ComparesKeys()) TRY(AddGoneKeys(find));
  AddKeySearch(find, *x_base, KeptFiles(x_base.get(), {}), root,
               ChangeSet{ComparesKeys() ? "touching" : "changes", x_stream.primary_key, false}, "touched");
  TRY_ASSIGN(ComputeResult found, Compute(std::move(find)));
  TRY(TakeDrift(found));
  const StepResult* gone = found.Find("gone");
  x_gone = gone != nullptr ? RowsOf(gone->files) : 0;

  std::vector<const LiveFile*> touched = FilesNamedBy(*x_base, root, found.Find("touched")->rows);
  TRY_ASSIGN(const bool again, CameAgain(found, touched));
  if (again) return CommitNoChange(found);
  ComputeJob rewrite;
  TRY_ASSIGN(rewrite.output_folder, x_staging->Folder("rewrite"));
  rewrite.inputs.push_back({"caudal_candidate", "changes", x_schema, PathsOf(*found.Find("changes")), false});
  rewrite.steps.push_back(Step::Run("changes", "CREATE VIEW changes AS SELECT * FROM caudal_candidate.changes"));
  const ChangeSet set{x_gone > 0 ? "merged" : "changes", x_stream.primary_key, x_gone > 0};
  if (x_gone > 0) AddKeysAsDeleted(rewrite, KeySchema(), PathsOf(*gone));
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
  change.operation = x_replay ? "REPLAY" : "MERGE";
  change.kind = x_gone > 0 ? ChangeKind::kOverwrite : ChangeKind::kUpsert;  // an upsert takes no row away
  x_counts.written = RowsOf(found.Find("changes")->files);
  TRY(CountRows(found));
  return AuditAndCommit(result, scope, std::move(change));
}

/// True where every row stands in the table already, just as it came: a cursor reads its last rows again.
Result<bool> Load::CameAgain(const ComputeResult& found, const std::vector<const LiveFile*>& touched) {
  const std::vector<WrittenFile>& changes = found.Find("changes")->files;
  std::int64_t matched = 0;
  for (const auto& row : found.Find("touched")->rows.rows) matched += std::stoll(row.at(1).value_or("0"));
  const bool nested = std::any_of(x_schema.fields.begin(), x_schema.fields.end(), [](const Field& f) { return f.type.nested(); });
  if (x_gone > 0) return false;
  if (changes.empty() && ComparesKeys()) return x_schema == x_base->schema && !ChecksChanged();
  const bool same_columns = x_schema == x_base->schema && x_base->key == x_stream.primary_key;
  if (nested || !same_columns || ChecksChanged() || changes.empty() || matched != RowsOf(changes)) return false;
  std::string columns;
  for (const Field& field : x_schema.fields) {
    if (IsReservedColumn(field.name)) continue;
    columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(field.name);
  }
  ComputeJob job;
  job.inputs.push_back({"caudal_candidate", "changes", x_schema, PathsOf(*found.Find("changes")), false});
  job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "touched", touched, x_workspace.RootOf(x_node.table), false));
  AddCount(job, "other", fmt::format("(SELECT {0} FROM caudal_candidate.changes EXCEPT SELECT {0} FROM caudal_candidate.touched)", columns));
  TRY_ASSIGN(const ComputeResult compared, Compute(std::move(job)));
  return compared.Find("other")->rows.rows.at(0).at(0) == "0";
}

/// The cursor, the raw objects and the rejects go on record; the rows stay as they are.
Status Load::CommitNoChange(const ComputeResult& found) {
  x_counts.written = 0;
  TRY(CountRows(found));
  Change change;
  change.operation = x_replay ? "REPLAY" : "MERGE";
  change.kind = ChangeKind::kNone;
  TRY(Commit(std::move(change)));
  x_outcome.status = TaskStatus::kUnchanged;
  x_outcome.note = fmt::format("{} rows came again as they are", x_counts.deduplicated);
  if (ComparesKeys()) x_outcome.note += ", no key is gone at the source";
  return {};
}

Status Load::AddChecks(ComputeJob& job, AuditScope& scope, const std::vector<std::string>& removes,
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

bool Load::ChecksChanged() const {
  auto it = x_base->domains.find("checks");
  return it == x_base->domains.end() || it->second != DumpJson(Json(HashOfChecks(Checks())));
}

Status Load::CountRows(const ComputeResult& result) {
  if (x_replay) return CountReplayed(result);
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

}  // namespace caudal
