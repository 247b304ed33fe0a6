// A table's columns and partitions as Iceberg's metadata has them. Pure. Format: docs/formats/iceberg.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/schema.h"
#include "lake/snapshot.h"

namespace caudal {

/// {"type":"struct","schema-id":n,"fields":[..]}
Json IcebergSchema(const Schema& schema, std::int64_t schema_id);

/// schema.name-mapping.default: every column of the files, the five of Hudi, too.
std::string IcebergNameMapping(const Schema& schema);

/// How the files of a version are partitioned.
struct PartitionSpec {
  std::int32_t id = 0;
  std::vector<Field> columns;
};
PartitionSpec SpecOf(const Snapshot& snapshot);
/// [{"name","transform":"identity","source-id","field-id"}]
Json SpecFields(const PartitionSpec& spec);
std::int32_t LastPartitionId(const PartitionSpec& spec);

/// Columns that have statistics: path ("address.zip") -> field.
std::map<std::string, Field> StatisticsColumns(const Schema& schema);

}  // namespace caudal
