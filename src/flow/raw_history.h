// Which raw objects a bronze table is made of. Pure.
#pragma once

#include <vector>

#include "lake/snapshot.h"

namespace caudal {

/// Every raw object that a commit of the table named and no later one replaced, oldest first. `replaces`: the stream is a
/// full copy each time (write_disposition: replace), so that a commit may have emptied it.
std::vector<RawObject> RawObjectsOf(const std::vector<CommitRecord>& history, bool replaces);

}  // namespace caudal
