// DuckDB's C handles and what is read out of them. Private to the room.
#pragma once

#include <duckdb.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "data/data_file.h"
#include "data/rows.h"

namespace caudal {

/// Frees through a pointer to the handle, as DuckDB's C API does.
template <typename T, void (*Destroy)(T*)>
struct DuckHandle {
  T handle{};
  DuckHandle() = default;
  explicit DuckHandle(T given) : handle(given) {}
  ~DuckHandle() { Destroy(&handle); }
  DuckHandle(const DuckHandle&) = delete;
  DuckHandle& operator=(const DuckHandle&) = delete;
};
using ResultHandle = DuckHandle<duckdb_result, duckdb_destroy_result>;
using ChunkHandle = DuckHandle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using StatementHandle = DuckHandle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using ExtractedHandle = DuckHandle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using PendingHandle = DuckHandle<duckdb_pending_result, duckdb_destroy_pending>;
using TypeHandle = DuckHandle<duckdb_logical_type, duckdb_destroy_logical_type>;

/// DuckDB's error as ours: its kind mapped, its message quoted.
Error ErrorOf(duckdb_error_type type, const char* message);
Error ErrorOf(duckdb_result& result);

/// "DECIMAL(12,2)", "STRUCT(\"a\" BIGINT)[]": what ParseType reads.
std::string TypeText(duckdb_logical_type type);

/// Rows of a result whose columns are all VARCHAR.
std::vector<std::vector<Cell>> TextRows(duckdb_result& result);

/// Rows of COPY's RETURN_STATS.
std::vector<WrittenFile> CopiedFiles(duckdb_result& result);

}  // namespace caudal
