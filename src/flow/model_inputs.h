// The tables that a model reads, as they are when its task begins: one snapshot each, kept to the task's end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/decide.h"
#include "flow/workspace.h"

namespace caudal {

struct ModelInput {
  std::string table;
  std::shared_ptr<const Snapshot> snapshot;
};

struct ModelInputs {
  std::vector<ModelInput> tables;                                // stored tables, each once
  std::vector<const ModelConfig*> views;                         // views on the way, in an order in which they can be made
  const ModelInput* Find(const std::string& table) const;
};

/// Errors: kNotFound for a table that is not published yet, with what to type.
Result<ModelInputs> OpenInputs(const Workspace& workspace, const ModelConfig& model);

/// The model's analysis against these very inputs. Errors: kInvalidArgument with file, line and column of the mistake.
Result<Analysis> AnalyzeModel(const Workspace& workspace, const ModelConfig& model, const ModelInputs& inputs,
                              const CancelFlag* cancel);

/// What changed in each input since `built`.
Result<std::vector<InputState>> StatesOf(const Workspace& workspace, const ModelInputs& inputs,
                                         const std::optional<BuildRecord>& built);

/// A model and everything its next build depends on, at one moment.
struct ModelState {
  std::shared_ptr<const Snapshot> base;  // null: not built yet
  ModelInputs inputs;
  ModelConfig model;                     // with its analysis made anew against these inputs
  std::string definition;
  std::optional<BuildRecord> built;
  std::vector<InputState> changes;
  TimeRange time;                        // of a model by interval
};
Result<ModelState> LookAtModel(const Workspace& workspace, const ModelConfig& model, const CancelFlag* cancel);
/// What the next build of it has to do.
Decision DecideNext(const Workspace& workspace, const ModelState& state, bool full_refresh);

/// Inputs and views of the job: whole tables, or only the files that `decision` asks for.
void AddModelInputs(ComputeJob& job, const Workspace& workspace, const ModelConfig& model, const ModelInputs& inputs,
                    const Decision& decision);

/// A condition on the model's rows that leaves exactly the partitions of `decision`; "" where the inputs' files are cut to
/// them already. An input that is not stored by partition is read whole: it may bring rows of others.
std::string PartitionsOnly(const ModelConfig& model, const ModelInputs& inputs, const Decision& decision);

/// The parameters that the model's SQL names: the project's, and those of the interval where there is one.
std::map<std::string, Parameter> ParametersOf(const Project& project, const ModelConfig& model,
                                              const std::optional<Interval>& interval);

/// Columns that the query gives; those that its table has (a snapshot adds valid_from, valid_to, is_current).
Schema QueryColumns(const ModelConfig& model);
Schema TableColumns(const ModelConfig& model);

/// "models/gold/x.sql:7:12" of a byte offset in the model's SQL.
std::string PlaceInSql(const ModelConfig& model, std::optional<std::int64_t> position);

}  // namespace caudal
