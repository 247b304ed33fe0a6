#include "flow/export.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <system_error>

#include "base/ids.h"
#include "flow/candidate.h"
#include "flow/maintain.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

/// DuckDB's options of COPY by the ending of the file's name.
Result<std::string> FormatOf(const fs::path& path) {
  static const std::map<std::string, std::string> kFormats{{".parquet", "FORMAT parquet, COMPRESSION zstd"},
                                                           {".csv", "FORMAT csv, HEADER"},
                                                           {".ndjson", "FORMAT json"},
                                                           {".jsonl", "FORMAT json"}};
  const auto it = kFormats.find(path.extension().string());
  if (it != kFormats.end()) return it->second;
  return Error{ErrorKind::kInvalidArgument, "'" + path.filename().string() + "' does not say in which format it is to be",
               "end its name in .parquet, .csv or .ndjson", ""};
}

/// A folder beside the target, so that the finished file is moved into place in one step.
class Beside {
 public:
  static Result<Beside> Make(const fs::path& target) {
    const fs::path folder = target.parent_path() / (".caudal-export-" + NewToken());
    std::error_code failure;
    fs::create_directory(folder, failure);
    if (!failure) return Beside(folder);
    return Error{failure == std::errc::permission_denied ? ErrorKind::kPermission : ErrorKind::kUnavailable,
                 "cannot write into " + target.parent_path().string() + ": " + failure.message(), "choose a folder that exists and can be written", ""};
  }
  Beside(Beside&& other) noexcept : x_folder(std::move(other.x_folder)) { other.x_folder.clear(); }
  Beside& operator=(Beside&&) = delete;
  ~Beside() {
    std::error_code ignored;
    if (!x_folder.empty()) fs::remove_all(x_folder, ignored);
  }
  const fs::path& folder() const { return x_folder; }

 private:
  explicit Beside(fs::path folder) : x_folder(std::move(folder)) {}
  fs::path x_folder;
};

Error Exists(const fs::path& path) {
  return Error{ErrorKind::kAlreadyExists, path.string() + " exists already", "choose another name, or move it away", ""};
}

}  // namespace

Result<ExportReport> ExportTable(const Workspace& workspace, const Node& node, const std::string& target, const std::string& path,
                                 const CancelFlag* cancel) {
  const fs::path file = fs::absolute(path);
  TRY_ASSIGN(const std::string format, FormatOf(file));
  std::error_code ignored;
  if (fs::exists(file, ignored)) return Exists(file);
  TRY_ASSIGN(const auto snapshot, SnapshotAt(workspace, node, target));
  TRY_ASSIGN(const Beside beside, Beside::Make(file));
  const std::string part = (beside.folder() / file.filename()).string();
  ComputeJob job;
  job.inputs.push_back(InputOf(*snapshot, "caudal_candidate", "exported", KeptFiles(snapshot.get(), {}), workspace.RootOf(node.table), false));
  job.output_folder = beside.folder().string();
  job.steps.push_back(Step::Run("export", fmt::format("COPY (SELECT {} FROM caudal_candidate.exported) TO {} ({})", ColumnList(snapshot->schema),
                                                      QuoteLiteral(part), format)));
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  TRY(RunCompute(workspace.engine, std::move(job), options, nullptr));
  ExportReport report{snapshot->version, snapshot->rows(), static_cast<std::int64_t>(fs::file_size(part, ignored))};
  std::error_code failure;
  fs::create_hard_link(part, file, failure);  // unlike a rename it replaces nothing
  if (failure == std::errc::file_exists) return Exists(file);
  if (failure) fs::rename(part, file, failure);  // a file system without links
  if (failure) return Error{ErrorKind::kUnavailable, "cannot put " + file.string() + " into place: " + failure.message(), "", ""};
  return report;
}

}  // namespace caudal
