#include "lake/overwrite.h"

#include <set>
#include <utility>

#include "lake/partition_path.h"

namespace caudal {

Change OverwriteTable(const Snapshot& snapshot, const std::vector<WrittenFile>& files) {
  Change change;
  change.operation = "OVERWRITE";
  change.kind = ChangeKind::kOverwrite;
  change.base_version = snapshot.version;
  for (const LiveFile& file : snapshot.files) change.removes.push_back(file.path);
  for (const WrittenFile& file : files) change.adds.push_back(AddFile{file, ""});
  return change;
}

Result<Change> OverwritePartitions(const Snapshot& snapshot, const std::vector<std::map<std::string, Cell>>& partitions,
                                   const std::vector<WrittenFile>& files) {
  std::set<PartitionValues> replaced;
  for (const auto& values : partitions) {
    TRY_ASSIGN(auto normal, NormalPartition(snapshot.schema, snapshot.partition_columns, values));
    replaced.insert(std::move(normal));
  }
  Change change;
  change.operation = "OVERWRITE PARTITIONS";
  change.kind = ChangeKind::kOverwrite;
  change.base_version = snapshot.version;
  change.read_partitions.emplace(replaced.begin(), replaced.end());
  for (const LiveFile& file : snapshot.files) {
    if (replaced.contains(file.partition)) change.removes.push_back(file.path);
  }
  for (const WrittenFile& file : files) {
    TRY_ASSIGN(auto normal, NormalPartition(snapshot.schema, snapshot.partition_columns, file.partition));
    if (!replaced.contains(normal)) {
      return Error{ErrorKind::kInvalidArgument,
                   "rows were written to " + PartitionFolder(snapshot.partition_columns, normal) +
                       ", which is not one of the partitions to replace",
                   "name that partition, too, or leave those rows out", ""};
    }
    change.adds.push_back(AddFile{file, ""});
  }
  return change;
}

}  // namespace caudal
