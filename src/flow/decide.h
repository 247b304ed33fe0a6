// What an incremental model has to recompute, from what changed in its inputs. A pure function: no I/O.
// Rules: docs/incremental.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flow/interval.h"
#include "lake/snapshot.h"
#include "project/project.h"

namespace caudal {

/// What a model's last commit says of how it was built: the domain "model" of its table.
struct BuildRecord {
  std::string definition;  // hash of SQL, materialisation and the parameters it uses
  std::string checks;      // hash of its checks
  struct Input {
    std::string table_id;
    std::int64_t version = -1;
  };
  std::map<std::string, Input> inputs;
  std::string cursor;  // of a model by interval: where its next one begins
};
std::string BuildRecordToJson(const BuildRecord& record);
Result<BuildRecord> BuildRecordFromJson(const std::string& text);

/// An input as it is now.
struct InputState {
  std::string table;
  std::string table_id;
  std::int64_t version = -1;
  std::vector<std::string> partition_columns;
  /// Commits after the version that the model was built from; empty where it was not built from this table.
  std::vector<CommitRecord> commits;
  /// The greatest value of each partition column, as text that sorts as the values do (dates).
  std::map<std::string, std::string> newest_partition;
};

struct Decision {
  enum class Action {
    kSkip,        // nothing changed
    kFull,        // everything anew
    kNewRows,     // the rows of `new_files` of `input`, appended or merged
    kPartitions,  // exactly `partitions`
    kInterval,    // `interval`
  };
  Action action = Action::kSkip;
  std::string reason;
  std::string input;
  std::vector<std::string> new_files;
  std::vector<std::string> raw_keys;    // kNewRows of a load: only rows that came with these; empty = all of new_files
  std::vector<Cell> partitions;         // values of the model's partition column, ordered
  std::vector<Cell> closed_partitions;  // touched, but older than `late:` allows
  std::optional<Interval> interval;     // of a model with $start and $end, whatever the action
};

struct DecideOptions {
  bool full_refresh = false;
  TimeRange time;  // of a model by interval
  Timestamp now;
};

/// `built`: absent where the table does not exist.
Decision Decide(const ModelConfig& model, const std::string& definition, const std::optional<BuildRecord>& built,
                const std::vector<InputState>& inputs, const DecideOptions& options);

/// Hash of what makes the model's rows: its SQL and that of the views it reads, materialisation, parameters they name.
std::string DefinitionOf(const ModelConfig& model, const std::vector<const ModelConfig*>& views,
                         const std::map<std::string, Parameter>& parameters);
std::string HashOfChecks(const std::vector<CheckSpec>& checks);
/// The model's column checks and table checks in one list.
std::vector<CheckSpec> AllChecks(const std::vector<ColumnConfig>& columns, const std::vector<CheckSpec>& table);

}  // namespace caudal
