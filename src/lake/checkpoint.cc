#include "lake/checkpoint.h"

#include <fmt/format.h>

#include "data/schema.h"

namespace caudal {

std::string CheckpointSql(const std::string& actions_path, const std::string& parquet_path) {
  constexpr std::string_view kColumns =
      "txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "
      "add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, "
      "stats VARCHAR, tags MAP(VARCHAR, VARCHAR))', "
      "remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, "
      "partitionValues MAP(VARCHAR, VARCHAR), size BIGINT)', "
      "metaData: 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)), "
      "schemaString VARCHAR, partitionColumns VARCHAR[], createdTime BIGINT, configuration MAP(VARCHAR, VARCHAR))', "
      "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])', "
      "domainMetadata: 'STRUCT(domain VARCHAR, configuration VARCHAR, removed BOOLEAN)'";
  return fmt::format("COPY (SELECT * FROM read_json({}, format = 'newline_delimited', columns = {{{}}})) "
                     "TO {} (FORMAT parquet)", QuoteLiteral(actions_path), kColumns, QuoteLiteral(parquet_path));
}

}  // namespace caudal
