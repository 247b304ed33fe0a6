#include "lake/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr std::string_view kSchema = "caudal_lake";

std::string StepName(std::size_t group) { return fmt::format("group_{}", group); }

bool IsSmall(const LiveFile& file, const CompactionOptions& options) {
  return file.size_bytes < options.target_file_bytes / 4 * 3;
}

/// Fills groups up to the target, in the order of the files: neighbours in time stay together.
void AddBins(std::vector<const LiveFile*> files, std::int64_t target, std::vector<FileGroup>& groups) {
  std::stable_sort(files.begin(), files.end(), [](const LiveFile* a, const LiveFile* b) { return a->added_version < b->added_version; });
  FileGroup bin;
  auto close = [&] {
    if (bin.files.size() > 1) groups.push_back(std::move(bin));
    bin = FileGroup{};
  };
  for (const LiveFile* file : files) {
    if (bin.size_bytes + file->size_bytes > target) close();
    bin.partition = file->partition;
    bin.files.push_back(file);
    bin.size_bytes += file->size_bytes;
  }
  close();
}

}  // namespace

std::vector<FileGroup> PlanCompaction(const Snapshot& snapshot, const CompactionOptions& options) {
  std::map<std::map<std::string, Cell>, std::vector<const LiveFile*>> partitions;
  for (const LiveFile& file : snapshot.files) {
    if (file.added_version > options.newest_version) continue;
    if (options.cluster_by.empty() && !IsSmall(file, options)) continue;
    partitions[file.partition].push_back(&file);
  }
  std::vector<FileGroup> groups;
  for (auto& [partition, files] : partitions) {
    if (!options.cluster_by.empty()) {
      FileGroup group{partition, std::move(files), 0};
      for (const LiveFile* file : group.files) group.size_bytes += file->size_bytes;
      groups.push_back(std::move(group));
    } else if (files.size() >= options.least_files) {
      AddBins(std::move(files), options.target_file_bytes, groups);
    }
  }
  return groups;
}

void AddCompaction(ComputeJob& job, const Snapshot& snapshot, const std::vector<FileGroup>& groups, const CompactionOptions& options,
                   const std::string& root, const std::string& folder) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::string name = StepName(i);
    job.inputs.push_back(InputOf(snapshot, std::string(kSchema), name, groups[i].files, root, false));
    WriteLayout layout;
    layout.folder = folder + "/" + name;
    layout.columns = snapshot.schema;
    layout.order_by = options.cluster_by.empty() ? snapshot.key : options.cluster_by;
    layout.target_file_bytes = options.target_file_bytes;
    job.steps.push_back(Step::Write(name, "SELECT * FROM " + QuoteTable(kSchema, name), std::move(layout)));
  }
}

Change ChangeOfCompaction(const Snapshot& snapshot, const std::vector<FileGroup>& groups, const ComputeResult& result) {
  Change change;
  change.operation = "OPTIMIZE";
  change.base_version = snapshot.version;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const LiveFile* file : groups[i].files) change.removes.push_back(file->path);
    const StepResult* written = result.Find(StepName(i));
    CHECK(written != nullptr, "a compaction job answers each of its steps");
    for (WrittenFile file : written->files) {
      file.partition = groups[i].partition;
      change.adds.push_back(AddFile{std::move(file), ""});
    }
  }
  return change;
}

}  // namespace caudal
