// Rows that a check of severity reject takes out, in the shape of every `__rejects` table (docs/formats/rejects.md).
#pragma once

#include <string>

#include "base/clock.h"
#include "quality/audit.h"

namespace caudal {

/// SELECT of the rows of `view` that break `rule`. `has_origin`: the view has `_source_file` and `_source_row`.
std::string RejectedRowsSql(const std::string& view, const RejectRule& rule, const std::string& task, Timestamp now,
                            bool has_origin);

/// The same shape without a row.
std::string NoRejectsSql();

}  // namespace caudal
