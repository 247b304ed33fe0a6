// Rejected rows that are loaded again: from the raw objects that they came in, by today's rules. docs/formats/rejects.md.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "flow/candidate.h"
#include "flow/load.h"
#include "flow/raw_history.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr std::int64_t kMostObjects = 1'000'000;

std::string Literals(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + QuoteLiteral(text);
  return list.empty() ? "''" : list;
}

/// The engine quotes the whole statement; the user typed its end only.
Error OfCondition(Error error) {
  if (error.kind != ErrorKind::kInvalidArgument) return error;
  error.where = "--where";
  if (error.next.empty()) error.next = "write a condition over the columns of the rejects: _reason, _column, _value, _row, _source_file, ...";
  return error;
}

}  // namespace

Schema ChosenSchema() {
  Schema schema;
  schema.fields = {Field{"_source_file", Type{TypeKind::kVarchar, 0, 0, {}}, 0}, Field{"_source_row", Type{TypeKind::kBigint, 0, 0, {}}, 0}};
  std::int32_t max_id = 0;
  AssignFieldIds(Schema(), schema, max_id);
  return schema;
}

/// Chooses rows among the rejects, and stages the raw objects that they are in.
Status Load::FetchRejects() {
  if (!x_base) return {};
  RejectReplay replay;
  TRY_ASSIGN(replay.rejects, x_table.RejectsAt(*x_base));
  if (!replay.rejects || replay.rejects->files.empty()) return {};
  const std::string root = x_workspace.RootOf(x_node.table) + "__rejects";
  ComputeJob job;
  job.output_folder = x_staging->path();
  job.inputs.push_back(InputOf(*replay.rejects, "caudal", "rejects", KeptFiles(replay.rejects.get(), {}), root, true));
  const std::string& where = *x_context.rejects_where;
  Step meets = Step::Run("caudal.meets", "SELECT * FROM caudal.rejects" + (where.empty() ? "" : " WHERE (" + where + "\n)"));
  job.steps.push_back(std::move(meets).OfUser());
  TRY_ASSIGN(Step chosen, Write("chosen", "SELECT DISTINCT _source_file, _source_row FROM caudal.meets WHERE _source_file IS NOT NULL", ChosenSchema(), {}));
  job.steps.push_back(std::move(chosen));
  job.steps.push_back(Step::Query("objects", "SELECT _source_file, count(*) FROM chosen GROUP BY _source_file", kMostObjects));
  job.steps.push_back(Step::Query("holders", fmt::format("SELECT DISTINCT r.{} FROM caudal.rejects r SEMI JOIN chosen c ON r._source_file = c._source_file AND "
                                                         "r._source_row = c._source_row", kOriginColumn),
                                  static_cast<std::int64_t>(replay.rejects->files.size()) + 1));
  auto result = Compute(std::move(job));
  if (!result) return OfCondition(std::move(result).error());
  for (const WrittenFile& file : result->Find("chosen")->files) replay.chosen_files.push_back(file.path);
  replay.touched = FilesNamedBy(*replay.rejects, root, result->Find("holders")->rows);

  TRY_ASSIGN(const auto history, x_table.History(-1, x_base->version));
  const std::vector<RawObject> live = RawObjectsOf(history, x_stream.write_disposition == WriteDisposition::kReplace);
  std::set<std::string> asked;
  std::vector<RawObject> objects;
  for (const auto& row : result->Find("objects")->rows.rows) {
    const std::int64_t rows = std::stoll(row.at(1).value_or("0"));
    const auto object = std::find_if(live.begin(), live.end(), [&](const RawObject& o) { return o.key == row.at(0).value_or(""); });
    replay.chosen += rows;
    if (object == live.end()) replay.overtaken += rows;
    if (object != live.end()) asked.insert(object->key);
  }
  for (const RawObject& object : live) {
    replay.arrival.push_back(object.key);
    if (asked.contains(object.key)) objects.push_back(object);
  }
  if (!objects.empty()) {
    TRY_ASSIGN(x_extracted, Replay(x_workspace, x_node, x_context, objects, *x_staging, x_outcome.cost));
  }
  x_replay = std::move(replay);
  return {};
}

/// Of the views of AddTypedRows the chosen rows, and the step "rest": what stays of the reject files that held them.
Status Load::AddChosen(ComputeJob& job) const {
  job.inputs.push_back({"caudal_candidate", "chosen", ChosenSchema(), x_replay->chosen_files, false});
  job.inputs.push_back(InputOf(*x_replay->rejects, "caudal_candidate", "reject_rows", x_replay->touched, x_workspace.RootOf(x_node.table) + "__rejects", false));
  const std::string same = " ON r._source_file = c._source_file AND r._source_row = c._source_row";
  for (const char* view : {"typed", "rejected", "misfits"}) {
    job.steps.push_back(Step::Run(std::string(view) + "_chosen", fmt::format("CREATE TEMP TABLE {0}_chosen AS SELECT r.* FROM {0} r SEMI JOIN caudal_candidate.chosen c{1}", view, same)));
  }
  AddCount(job, "found_typed", "typed_chosen");
  AddCount(job, "found_rejected", "rejected_chosen");
  if (!Merges() && !x_base->files.empty()) {
    // A row of that very origin may be there, where an earlier version of Caudal rejected it once more in a rebuild.
    job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "published", KeptFiles(x_base.get(), {}), x_workspace.RootOf(x_node.table), false));
    job.steps.push_back(Step::Run("there", fmt::format("DELETE FROM typed_chosen AS c USING caudal_candidate.published AS r WHERE r._source_file IN ({}) AND "
                                                       "r._source_file = c._source_file AND r._source_row = c._source_row", Literals(x_extracted.raw_keys))));
  }
  TRY_ASSIGN(Step rest, Write("rest", "SELECT r.* FROM caudal_candidate.reject_rows r ANTI JOIN caudal_candidate.chosen c" + same, RejectSchema(), {}));
  job.steps.push_back(std::move(rest));
  return {};
}

/// Of the rows of `newest` those that no published row of their key is newer than: by the cursor column, else by the order in
/// which the raw objects came, and the row in there. A rebuild from raw chooses the same ones.
std::string Load::NewerThanPublished(ComputeJob& job, const std::string& newest, const std::string& cursor) const {
  if (x_base->files.empty()) return newest;
  job.inputs.push_back(InputOf(*x_base, "caudal_candidate", "published", KeptFiles(x_base.get(), {}), x_workspace.RootOf(x_node.table), false));
  std::string keys;
  for (const std::string& key : x_stream.primary_key) {
    keys += (keys.empty() ? "" : " AND ") + fmt::format("p.{0} = n.{0}", QuoteIdentifier(key));
  }
  std::string as_new = "coalesce(TRY_CAST(p._source_file AS came) > n._source_file::came OR (p._source_file = n._source_file AND p._source_row >= n._source_row), false)";
  if (!cursor.empty()) {
    const std::string column = QuoteIdentifier(cursor);
    as_new = fmt::format("CASE WHEN p.{0} IS DISTINCT FROM n.{0} THEN coalesce(p.{0} > n.{0}, n.{0} IS NULL) ELSE {1} END", column, as_new);
  }
  return fmt::format("SELECT n.* FROM ({}) AS n LEFT JOIN caudal_candidate.published AS p ON {} WHERE p._source_file IS NULL OR NOT {}", newest, keys, as_new);
}

/// read = written + rejected + deduplicated, where the last were overtaken: by a load that replaced theirs, by a newer row of
/// their key, or by themselves.
Status Load::CountReplayed(const ComputeResult& result) {
  const auto count = [&](const char* step) { return std::stoll(result.Find(step)->rows.rows.at(0).at(0).value_or("0")); };
  const std::int64_t found = count("found_typed") + count("found_rejected");
  x_counts.read = x_replay->chosen;
  x_counts.rejected = RowsOf(result.Find("rejects")->files);
  x_counts.deduplicated = x_counts.read - x_counts.written - x_counts.rejected;
  x_rejects = result.Find("rejects")->files;
  for (const WrittenFile& file : result.Find("rest")->files) x_rejects.push_back(file);
  if (found == x_replay->chosen - x_replay->overtaken && x_counts.deduplicated >= x_replay->overtaken) return {};
  return Error{ErrorKind::kInternal,
               fmt::format("{}: {} rejected rows were to be loaded again, but {} of them were found in their raw objects, and {} are written, {} rejected",
                           x_node.table, x_replay->chosen - x_replay->overtaken, found, x_counts.written, x_counts.rejected),
               "nothing was changed; please report this with the raw file", ""};
}

}  // namespace caudal
