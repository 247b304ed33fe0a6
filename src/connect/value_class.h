// What the text of a CSV value is, for types whose reading cannot lose anything. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "connect/chunk.h"
#include "data/type.h"

namespace caudal {

/// Beside ColumnFacts's classes: there are texts which say that there is no value (Excel's #N/A). They narrow nothing, and fit no type
/// but VARCHAR, so that the parse finds them.
constexpr std::uint32_t kNoValues = 128;

/// Narrows `facts` by one value; an empty value tells nothing.
void NarrowFacts(ColumnFacts& facts, std::string_view value);

/// `facts` of a column that two batches share.
ColumnFacts JoinFacts(const ColumnFacts& a, const ColumnFacts& b);

/// True where every value seen becomes `type` exactly, whoever parses it.
bool SurelyFits(const ColumnFacts& facts, const Type& type);

/// The type that a column of such values gets: BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMPTZ, else VARCHAR.
Type InferredType(const ColumnFacts& facts);

}  // namespace caudal
