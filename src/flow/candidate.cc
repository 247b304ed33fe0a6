#include "flow/candidate.h"

#include <algorithm>
#include <set>

#include "lake/upsert.h"

namespace caudal {

void AddCost(JobCost& total, const JobCost& job) {
  total.peak_memory_bytes = std::max(total.peak_memory_bytes, job.peak_memory_bytes);
  total.cpu += job.cpu;
  total.wall += job.wall;
}

Status VerdictOf(const std::string& table, const std::vector<CheckResult>& checks, const std::string& kept_at) {
  std::string failed;
  for (const CheckResult& check : checks) {
    if (check.verdict != Verdict::kFail) continue;
    failed += (failed.empty() ? "" : "; ") + check.id + ": " + check.message;
  }
  if (failed.empty()) return {};
  std::string where;
  for (const CheckResult& check : checks) {
    if (check.verdict == Verdict::kFail && where.empty()) where = check.check.place.ToString();
  }
  return Error{ErrorKind::kCheckFailed, table + " was not published: " + failed,
               "mend the source or the check; the candidate is kept in " + kept_at, where};
}

void WarnOfPublished(std::vector<CheckResult>& checks) {
  for (CheckResult& check : checks) {
    if (check.verdict != Verdict::kReject) continue;
    check.verdict = Verdict::kWarn;
    check.message += "; published before, they stay until they are written anew (--full-refresh)";
  }
}

std::int64_t RowsOf(const std::vector<WrittenFile>& files) {
  std::int64_t rows = 0;
  for (const WrittenFile& file : files) rows += file.rows;
  return rows;
}

std::int64_t BytesOf(const std::vector<WrittenFile>& files) {
  std::int64_t bytes = 0;
  for (const WrittenFile& file : files) bytes += file.size_bytes;
  return bytes;
}

std::vector<const LiveFile*> KeptFiles(const Snapshot* base, const std::vector<std::string>& removes) {
  std::vector<const LiveFile*> kept;
  if (!base) return kept;
  std::set<std::string_view> gone(removes.begin(), removes.end());
  for (const LiveFile& file : base->files) {
    if (!gone.contains(file.path)) kept.push_back(&file);
  }
  return kept;
}

std::string ColumnList(const Schema& columns) {
  std::string list;
  for (const Field& field : columns.fields) list += (list.empty() ? "" : ", ") + QuoteIdentifier(field.name);
  return list;
}

std::string AddCandidateView(ComputeJob& job, const Workspace& workspace, const std::string& table,
                             const Snapshot* base, const std::vector<const LiveFile*>& kept, const Schema& columns,
                             const std::vector<std::string>& written_views) {
  std::string parts;
  for (const std::string& view : written_views) {
    parts += (parts.empty() ? "" : " UNION ALL ") + ("SELECT " + ColumnList(columns) + " FROM " + QuoteIdentifier(view));
  }
  if (base && !kept.empty()) {
    TableInput input = InputOf(*base, "caudal_candidate", "kept", kept, workspace.RootOf(table), false);
    input.columns = columns;  // the candidate's columns: those that a kept file lacks are NULL
    job.inputs.push_back(std::move(input));
    parts += " UNION ALL SELECT " + ColumnList(columns) + " FROM caudal_candidate.kept";
  }
  Step view;
  view.kind = Step::Kind::kRun;
  view.name = "candidate";
  view.sql = "CREATE VIEW caudal_candidate_rows AS " + parts;
  job.steps.push_back(std::move(view));
  return "caudal_candidate_rows";
}

Status AddRelated(ComputeJob& job, const Workspace& workspace, const std::vector<CheckSpec>& checks, AuditScope& scope) {
  for (const CheckSpec& check : checks) {
    for (const std::string& table : OtherTables(check)) {
      if (scope.others.contains(table)) continue;
      auto snapshot = workspace.TableOf(table).Latest();
      if (!snapshot) {
        Error error = std::move(snapshot).error();
        error.where = check.place.ToString();
        return error;
      }
      std::string name = "related_" + std::to_string(scope.others.size());
      job.inputs.push_back(InputOf(**snapshot, "caudal_candidate", name, KeptFiles(snapshot->get(), {}),
                                   workspace.RootOf(table), false));
      scope.others[table] = "caudal_candidate." + name;
    }
  }
  return {};
}

bool NeedsCandidate(const std::vector<CheckSpec>& checks) {
  return std::any_of(checks.begin(), checks.end(), [](const CheckSpec& check) { return !IsRowCheck(check); });
}

}  // namespace caudal
