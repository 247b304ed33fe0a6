// The end of every task: an audited candidate becomes a commit, or nothing happens.
#pragma once

#include <string>
#include <vector>

#include "flow/task.h"

namespace caudal {

/// Folds what a job cost into the task's: CPU adds up, memory is the peak.
void AddCost(JobCost& total, const JobCost& job);

/// The checks that the candidate failed, as one error that names each with its figures; none: success.
Status VerdictOf(const std::string& table, const std::vector<CheckResult>& checks, const std::string& kept_at);

/// The rows that a check of severity reject found in the candidate are none of those that the task wrote: these were taken
/// out. They were published before the check was written, and stay: a warning that says so.
void WarnOfPublished(std::vector<CheckResult>& checks);

/// Sum of rows and bytes.
std::int64_t RowsOf(const std::vector<WrittenFile>& files);
std::int64_t BytesOf(const std::vector<WrittenFile>& files);

/// The published files that the candidate keeps: all but `removes`.
std::vector<const LiveFile*> KeptFiles(const Snapshot* base, const std::vector<std::string>& removes);

/// Adds to `job` the view of the candidate snapshot: `kept` files and the views of write steps. Gives its quoted name.
std::string AddCandidateView(ComputeJob& job, const Workspace& workspace, const std::string& table,
                             const Snapshot* base, const std::vector<const LiveFile*>& kept, const Schema& columns,
                             const std::vector<std::string>& written_views);

/// Inputs for the other tables that the checks read; fills `scope.others`. Errors: kNotFound for a table that is
/// not published yet.
Status AddRelated(ComputeJob& job, const Workspace& workspace, const std::vector<CheckSpec>& checks, AuditScope& scope);

/// True where a check looks at more than the new rows.
bool NeedsCandidate(const std::vector<CheckSpec>& checks);

/// Columns as SQL: "a", "b".
std::string ColumnList(const Schema& columns);

}  // namespace caudal
