// The step behind a load: files whose rows are committed are moved or removed at their place, where the stream asks for it.
#pragma once

#include "flow/task.h"

namespace caudal {

/// Does nothing for a stream without `after_load`. What cannot be done is a note of the outcome, and is tried again behind the
/// next load: the rows are committed either way.
void AfterLoad(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome);

}  // namespace caudal
