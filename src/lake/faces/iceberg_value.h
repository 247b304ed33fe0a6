// Single values as Iceberg's bounds and partition fields have them. Pure. Source: Iceberg v2 spec, "Binary single-value
// serialization" and "Avro" (docs/formats/iceberg.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "data/type.h"
#include "lake/faces/avro.h"

namespace caudal {

/// `text` (a partition value or a bound, as the log has it) in the bytes of a bound; absent where it is no such value.
std::optional<std::string> IcebergBytes(const Type& type, std::string_view text);

/// The Avro type of a partition field; `id` makes the name of a fixed type unique.
Json IcebergAvroType(const Type& type, std::int32_t id);
/// The branch and the value of ["null", IcebergAvroType]; false where `text` is no such value: nothing was written then.
bool EncodePartitionValue(const Type& type, const std::optional<std::string>& text, AvroEncoder& out);

/// A FLOAT or DOUBLE as DuckDB prints it, inf and nan too; absent where `text` is none.
std::optional<double> FloatingValue(std::string_view text);

/// Bytes that a DECIMAL of that precision takes at most: 5 for 10 digits, 16 for 38.
int DecimalBytes(int precision);

}  // namespace caudal
