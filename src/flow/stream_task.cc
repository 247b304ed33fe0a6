// A load: source -> raw -> typed candidate -> audit -> commit of one bronze table. How the candidate is built: load_build.cc.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "connect/dialect.h"
#include "connect/intake.h"
#include "data/reserved_name.h"
#include "flow/after_load.h"
#include "flow/candidate.h"
#include "flow/contract_check.h"
#include "flow/load.h"
#include "flow/load_volume.h"
#include "flow/raw_history.h"
#include "flow/stream_columns.h"

namespace caudal {
namespace {

constexpr int kReplans = 5;

bool AllParquet(const std::vector<StagedChunk>& chunks) {
  return !chunks.empty() && std::all_of(chunks.begin(), chunks.end(), [](const StagedChunk& chunk) { return chunk.format.kind == "parquet"; });
}

bool SomeNameColumns(const std::vector<StagedChunk>& chunks) {
  return std::any_of(chunks.begin(), chunks.end(), [](const StagedChunk& chunk) { return NamesItsColumns(chunk.format.kind); });
}

}  // namespace

Load::Load(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome)
    : x_workspace(workspace),
      x_node(node),
      x_context(context),
      x_source(workspace.project.source(node)),
      x_stream(workspace.project.stream(node)),
      x_table(workspace.TableOf(node.table)),
      x_outcome(outcome) {}

Status Load::Run() {
  TRY_ASSIGN(x_base, LatestOrNone(x_table));
  if (x_base && x_context.from_raw) x_rebuild = true;
  TRY_ASSIGN(Staging staging,
             Staging::Make(x_workspace, fmt::format("{}-{}-{}", x_context.run, x_node.table, x_context.attempt)));
  x_staging = &staging;
  if (x_context.rejects_where) {
    TRY(FetchRejects());
    if (!x_replay) return NothingNew("no row of " + x_node.table + " is rejected");
    if (x_replay->chosen == 0) return NothingNew("no rejected row of " + x_node.table + " meets the condition");
  } else {
    TRY(Fetch());
    if (x_extracted.read.chunks.empty() && !Empties() && !ComparesKeys()) {
      std::string note = "nothing new at the source";
      for (const std::string& more : x_extracted.read.notes) note += ", " + more;
      return NothingNew(note);
    }
    if (x_base && !x_rebuild && !x_context.full_refresh) TRY(RefuseForeignFiles(x_extracted.read.chunks, *x_base));
  }
  if (!x_base && x_stream.appeared) x_drift.push_back(TableDrift(DriftKind::kNewTable, x_stream.at_source, x_workspace.clock.Now()));
  Status built = DecideSchema();
  if (built) built = Build();
  if (!built) RememberDrift("", x_drift, false, x_workspace.clock.Now());
  x_outcome.drift = x_drift;
  if (!built && built.error().kind == ErrorKind::kCheckFailed) staging.Keep();
  return built;
}

std::string Load::Cursor() const {
  if (!x_base || x_context.full_refresh || x_rebuild) return "";
  auto it = x_base->domains.find("cursor");
  return it == x_base->domains.end() ? "" : it->second;
}

/// The table's columns, with the wider types that the project gives them.
Schema Load::Pinned() const {
  Schema pinned = x_base ? x_base->schema : Schema{};
  for (Field& field : pinned.fields) {
    for (const ColumnConfig& word : x_stream.columns) {
      if (word.type && Schema{{field}}.Find(word.name) && Widens(field.type, *word.type)) field.type = *word.type;
    }
  }
  return pinned;
}

bool Load::WidensBySource() const { return x_stream.contract.data_type == ContractMode::kEvolve && x_base && !x_context.full_refresh; }

bool Load::Replaces() const {
  return !x_replay && (x_rebuild || x_context.full_refresh || x_stream.write_disposition == WriteDisposition::kReplace);
}

Status Load::Fetch() {
  if (x_rebuild) return FetchFromRaw();
  TRY_ASSIGN(x_extracted, Extract(x_workspace, x_node, x_context, {Cursor(), Pinned(), KeysToCompare()}, *x_staging, x_outcome.cost));
  TRY(RefuseToLoseAll());
  RawManifest manifest;
  manifest.cursor_from = Cursor();
  manifest.cursor_to = x_extracted.read.cursor;
  manifest.definition = DefinitionOfStream(x_source, x_stream);
  manifest.objects = x_extracted.objects;
  manifest.replaces = x_extracted.read.replaces;
  if (!manifest.objects.empty() && x_extracted.read.relation_file.empty()) x_outcome.manifest = std::move(manifest);
  return {};
}

Status Load::FetchFromRaw() {
  TRY_ASSIGN(auto history, x_table.History(-1, x_base->version));
  std::vector<RawObject> objects = RawObjectsOf(history, x_stream.write_disposition == WriteDisposition::kReplace);
  TRY_ASSIGN(x_extracted, Replay(x_workspace, x_node, x_context, objects, *x_staging, x_outcome.cost));
  auto cursor = x_base->domains.find("cursor");
  x_extracted.read.cursor = cursor == x_base->domains.end() ? "" : cursor->second;
  return {};
}

/// A relation was read whole and has no row: nothing is what replaces the table. Files that vanished say no such thing.
bool Load::Empties() const {
  return x_base && !x_base->files.empty() && !x_rebuild && Replaces() && !x_extracted.read.relation_columns.empty();
}

Status Load::NothingNew(const std::string& note) {
  x_outcome.version = x_base ? x_base->version : -1;
  x_outcome.note = note;
  return {};
}

/// The table's columns: pinned ones stay; new ones of the source are added, as the contract says; the user's types win over
/// inference.
Status Load::DecideSchema() {
  Schema found;
  const bool relation = !x_extracted.read.relation_columns.empty();
  if (relation) {
    TRY_ASSIGN(Json json, ParseJson(x_extracted.read.relation_columns, "the columns of " + x_node.table));
    TRY_ASSIGN(found, SchemaFromJson(json));
  } else {
    TRY_ASSIGN(found, ColumnsOfBatches());
  }
  if (x_base && !x_context.full_refresh) {
    const bool complete = relation || AllParquet(x_extracted.read.chunks);
    SourceColumns source{x_node.table, x_stream, *x_base, x_extracted.read.chunks, complete, x_rebuild || x_replay};
    auto refused = LookAtColumns(source, found, x_drift);
    if (!refused) {
      x_outcome.manifest.reset();  // the source may be mended, and is asked again
      return std::move(refused).error();
    }
    x_refused = *std::move(refused);
  }
  StreamColumns columns{x_node.table, x_stream, x_base.get(), Replaces(), x_context.full_refresh, WidensBySource()};
  TRY_ASSIGN(x_schema, NextStreamColumns(columns, std::move(found)));
  if (!x_base || x_context.full_refresh) return {};
  for (const Field& field : x_base->schema.fields) {
    const Field* now = x_schema.Find(field.name);
    if (now == nullptr || now->type == field.type) continue;
    Drift widened;
    widened.kind = DriftKind::kWidened;
    widened.column = field.name;
    widened.type = now->type.ToSql();
    widened.was = field.type.ToSql();
    x_drift.push_back(std::move(widened));
  }
  return {};
}

Result<Schema> Load::ColumnsOfBatches() {
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

Result<ComputeResult> Load::Compute(ComputeJob job) {
  RunOptions options;
  options.limits = x_workspace.Limits();
  options.cancel = x_context.cancel;
  options.progress = x_context.progress;
  JobCost spent;
  auto result = RunCompute(x_workspace.engine, std::move(job), options, &spent);
  AddCost(x_outcome.cost, spent);
  return result;
}

std::vector<CheckSpec> Load::Checks() const { return AllChecks(x_stream.columns, x_stream.checks); }

Result<Step> Load::Write(const std::string& name, const std::string& sql, const Schema& columns,
                         const std::vector<std::string>& partition_by) const {
  WriteLayout layout;
  TRY_ASSIGN(layout.folder, x_staging->Folder(name));
  layout.columns = columns;
  layout.partition_by = partition_by;
  return Step::Write(name, sql, std::move(layout));
}

/// What the steps of AddDriftQueries saw. Errors: values did not fit, and the contract freezes types.
Status Load::TakeDrift(const ComputeResult& result) {
  const auto add = [&](const char* step, DriftKind kind) {
    const StepResult* seen = result.Find(step);
    if (seen == nullptr) return;
    for (const auto& row : seen->rows.rows) {
      Drift drift;
      drift.kind = kind;
      drift.column = row.at(0).value_or("");
      if (const Field* field = x_schema.Find(drift.column)) drift.type = field->type.ToSql();
      drift.values = std::stoll(row.at(1).value_or("0"));
      for (const RawObject& object : x_extracted.objects) {
        if (object.key == row.at(2).value_or("")) drift.origin = object.origin;
      }
      drift.row = std::stoll(row.at(3).value_or("0"));
      drift.example = row.at(4).value_or("");
      if (kind == DriftKind::kNulledValues) x_counts.discarded_values += drift.values;
      x_drift.push_back(std::move(drift));
    }
  };
  if (!x_replay) add("drift_rejected", DriftKind::kRejectedValues);
  add("drift_nulled", DriftKind::kNulledValues);
  if (const StepResult* refused = result.Find("drift_refused")) {
    for (std::size_t i = 0; i < x_refused.fields.size(); ++i) {
      for (Drift& drift : x_drift) {
        if (drift.column != x_refused.fields[i].name) continue;
        drift.values = std::stoll(refused->rows.rows.at(0).at(i).value_or("0"));
        if (drift.kind == DriftKind::kIgnoredColumn) x_counts.discarded_values += drift.values;
      }
    }
  }
  if (x_rebuild || x_replay) return {};
  Status fits = RefuseMisfits(x_node.table, x_stream, x_drift);
  if (fits) return {};
  Drift frozen;
  frozen.kind = DriftKind::kFrozen;
  frozen.example = fits.error().message;
  x_drift = {std::move(frozen)};
  x_outcome.manifest.reset();
  return fits;
}

Status Load::AuditAndCommit(const ComputeResult& result, const AuditScope& scope, Change change) {
  TRY_ASSIGN(x_outcome.checks, Judge(result, scope, Checks(), "check_", x_workspace.clock.Now()));
  WarnOfPublished(x_outcome.checks);
  if (!x_replay) {
    const LoadAtHand load{x_stream, x_workspace.project.ExpectedOf(x_node.table), x_table, x_base.get(), x_extracted, x_counts.read, x_rebuild || x_context.full_refresh};
    TRY_ASSIGN(auto volume, CheckVolume(load));
    if (volume) x_outcome.checks.push_back(*std::move(volume));
  }
  TRY(VerdictOf(x_node.table, x_outcome.checks, x_staging->path()));
  return Commit(std::move(change));
}

Status Load::Commit(Change change) {
  change.base_version = x_base ? x_base->version : -1;
  change.task = x_context.Id(x_node.table);
  change.rejects = x_rejects;
  change.counts = x_counts;
  change.blind = x_blind && change.removes.empty();
  change.domains["checks"] = DumpJson(Json(HashOfChecks(Checks())));
  if (x_replay) {
    for (const LiveFile* file : x_replay->touched) change.reject_removes.push_back(*file);
  } else {
    change.raw = x_extracted.objects;
    if (!x_extracted.read.cursor.empty()) change.domains["cursor"] = x_extracted.read.cursor;
  }
  if (ComparesKeys()) change.domains["keys_compared"] = DumpJson(Json(FormatTimestampMs(x_workspace.clock.Now())));
  if (x_rebuild && x_base->domains.contains("keys_compared")) change.domains["keys_compared"] = std::nullopt;  // deleted rows came back
  if (x_rebuild) {  // every row is typed anew, those that were rejected, too
    TRY_ASSIGN(const auto rejects, x_table.RejectsAt(*x_base));
    if (rejects) change.reject_removes = rejects->files;
  }
  const auto known = x_base ? x_base->domains.find("drift") : std::map<std::string, std::string>::const_iterator();
  const std::string before = x_base && known != x_base->domains.end() ? known->second : "";
  const bool looked = !x_replay && !x_rebuild && (SomeNameColumns(x_extracted.read.chunks) || !x_extracted.read.relation_columns.empty());
  const std::string after = RememberDrift(before, x_drift, looked, x_workspace.clock.Now());
  if (after != before && after != "[]") change.domains["drift"] = after;
  if (after == "[]" && !before.empty()) change.domains["drift"] = std::nullopt;
  change.note = NoteOf();
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
  if (x_replay) {
    x_outcome.note = fmt::format("{} rejected rows: {} written, {} rejected again, {} overtaken", x_counts.read, x_counts.written,
                                 x_counts.rejected, x_counts.deduplicated);
  } else {
    x_outcome.note = ReadInWords(x_extracted, x_counts.read);
  }
  for (const Drift& drift : x_drift) x_outcome.note += ", " + DriftInWords(drift);
  if (x_gone == 1) x_outcome.note += ", 1 row deleted: its key is gone at the source";
  if (x_gone > 1) x_outcome.note += fmt::format(", {} rows deleted: their keys are gone at the source", x_gone);
  for (const std::string& note : x_extracted.read.notes) x_outcome.note += ", " + note;
  return {};
}

/// What the history tells of this commit.
std::string Load::NoteOf() const {
  Json note = Json::object();
  if (!x_drift.empty()) note["drift"] = DriftToJson(x_drift);
  if (x_gone > 0) note["deleted"] = x_gone;
  if (x_replay) note["replay"] = {{"rows", x_replay->chosen}, {"of_replaced_loads", x_replay->overtaken}};
  return note.empty() ? "" : DumpJson(note);
}

TaskOutcome LoadStream(const Workspace& workspace, const Node& node, const TaskContext& context) {
  TaskOutcome outcome;
  for (int replan = 0;; ++replan) {
    outcome.checks.clear();
    outcome.drift.clear();
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
