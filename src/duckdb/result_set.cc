#include "duckdb/result_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/schema.h"

namespace caudal {
namespace {

using Destroyed = DuckHandle<duckdb_logical_type, duckdb_destroy_logical_type>;

bool IsNull(duckdb_vector vector, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

Cell TextAt(duckdb_vector vector, idx_t row) {
  if (IsNull(vector, row)) return std::nullopt;
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  duckdb_string_t& text = strings[row];
  return std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text));
}

std::int64_t CountAt(duckdb_vector vector, idx_t row) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t*>(duckdb_vector_get_data(vector))[row]);
}

// A MAP vector is a list of structs of key and value.
void EachEntry(duckdb_vector map, idx_t row,
               const std::function<void(duckdb_vector keys, duckdb_vector values, idx_t at)>& visit) {
  if (IsNull(map, row)) return;
  const duckdb_list_entry entry = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(map))[row];
  duckdb_vector entries = duckdb_list_vector_get_child(map);
  duckdb_vector keys = duckdb_struct_vector_get_child(entries, 0);
  duckdb_vector values = duckdb_struct_vector_get_child(entries, 1);
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) visit(keys, values, i);
}

// "\"st\".\"a.b\"" -> "st.a.b"
std::string LeafPath(std::string_view quoted) {
  std::string path;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '"') {
      path.push_back(quoted[i]);
    } else if (i + 1 < quoted.size() && quoted[i + 1] == '"' && i > 0) {
      path.push_back('"');
      ++i;
    }
  }
  return path;
}

ColumnStats StatsAt(duckdb_vector map, idx_t row) {
  ColumnStats stats;
  EachEntry(map, row, [&](duckdb_vector keys, duckdb_vector values, idx_t at) {
    const Cell key = TextAt(keys, at);
    const Cell value = TextAt(values, at);
    if (!key || !value) return;
    if (*key == "min") stats.min = value;
    if (*key == "max") stats.max = value;
    if (*key == "null_count") stats.null_count = std::stoll(*value);
    if (*key == "has_nan") stats.has_nan = *value == "true";
  });
  return stats;
}

std::string ChildrenText(duckdb_logical_type type) {
  std::string text;
  const idx_t count = duckdb_struct_type_child_count(type);
  for (idx_t i = 0; i < count; ++i) {
    char* name = duckdb_struct_type_child_name(type, i);
    const Destroyed child(duckdb_struct_type_child_type(type, i));
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", QuoteIdentifier(name), TypeText(child.handle));
    duckdb_free(name);
  }
  return text;
}

const char* PlainName(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMPTZ";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    default:
      return "VARCHAR";  // TIME, INTERVAL, UUID, ENUM, BIT, NULL: as ParseType has it
  }
}

ErrorKind KindOf(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_OUT_OF_MEMORY:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_HTTP:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_CONNECTION:
      return ErrorKind::kUnavailable;
    case DUCKDB_ERROR_INTERRUPT:
      return ErrorKind::kCancelled;
    case DUCKDB_ERROR_PERMISSION:
      return ErrorKind::kPermission;
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
      return ErrorKind::kUnsupported;
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_NULL_POINTER:
    case DUCKDB_ERROR_SERIALIZATION:
      return ErrorKind::kInternal;
    default:
      return ErrorKind::kInvalidArgument;
  }
}

}  // namespace

Error ErrorOf(duckdb_error_type type, const char* message) {
  Error error{KindOf(type), message != nullptr ? message : "DuckDB gave no reason", "", ""};
  // What follows is of our SQL around the user's, and of settings that are not the user's.
  error.message = error.message.substr(0, error.message.find("\n\n"));
  std::replace(error.message.begin(), error.message.end(), '\n', ' ');
  const auto says = [&](std::string_view words) { return error.message.find(words) != std::string::npos; };
  // "Invalid Error" is what its Parquet reader's own exceptions become.
  if (error.message.starts_with("Invalid Error") || says("TProtocolException") || says("No magic bytes") || says("too small to be a Parquet file") || says("Snappy decompression") ||
      says("ZSTD Decompression") || says("Invalid Parquet") || says("Invalid thrift")) {
    error.kind = ErrorKind::kCorruption;
    error.next = "a file is damaged: `caudal doctor` looks at those of the lake; ask for one of a source again";
  } else if (says("File name too long")) {
    error.kind = ErrorKind::kInvalidArgument;
    error.next = "a partition's value is the name of a folder, which holds 255 bytes: partition by a shorter column";
  } else if (says("Permission denied")) {
    error.kind = ErrorKind::kPermission;
    error.next = "give the user that runs caudal the right to it";
  }
  if (says("File too large")) error.next = "a file may not be that large for this user: raise the limit (`ulimit -f`)";
  if (says("Resource temporarily unavailable")) {
    error.kind = ErrorKind::kUnavailable;
    error.next = "raise the limit of processes of this user (`ulimit -u`), or end some";
  }
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) error.next = "raise the memory or spill limit, or split the work";
  return error;
}

Error ErrorOf(duckdb_result& result) {
  return ErrorOf(duckdb_result_error_type(&result), duckdb_result_error(&result));
}

std::string TypeText(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_LIST: {
      const Destroyed child(duckdb_list_type_child_type(type));
      return TypeText(child.handle) + "[]";
    }
    case DUCKDB_TYPE_ARRAY: {
      const Destroyed child(duckdb_array_type_child_type(type));
      return TypeText(child.handle) + "[]";
    }
    case DUCKDB_TYPE_MAP: {
      const Destroyed key(duckdb_map_type_key_type(type));
      const Destroyed value(duckdb_map_type_value_type(type));
      return fmt::format("MAP({}, {})", TypeText(key.handle), TypeText(value.handle));
    }
    case DUCKDB_TYPE_STRUCT:
      return "STRUCT(" + ChildrenText(type) + ")";
    default:
      return PlainName(id);
  }
}

std::vector<std::vector<Cell>> TextRows(duckdb_result& result) {
  std::vector<std::vector<Cell>> rows;
  const idx_t columns = duckdb_column_count(&result);
  for (;;) {
    const ChunkHandle chunk(duckdb_fetch_chunk(result));
    if (chunk.handle == nullptr) return rows;
    const idx_t count = duckdb_data_chunk_get_size(chunk.handle);
    for (idx_t row = 0; row < count; ++row) {
      std::vector<Cell>& cells = rows.emplace_back();
      cells.reserve(columns);
      for (idx_t i = 0; i < columns; ++i) {
        cells.push_back(TextAt(duckdb_data_chunk_get_vector(chunk.handle, i), row));
      }
    }
  }
}

std::vector<WrittenFile> CopiedFiles(duckdb_result& result) {
  // filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys
  std::vector<WrittenFile> files;
  for (;;) {
    const ChunkHandle chunk(duckdb_fetch_chunk(result));
    if (chunk.handle == nullptr) return files;
    const idx_t count = duckdb_data_chunk_get_size(chunk.handle);
    const auto column = [&](idx_t i) { return duckdb_data_chunk_get_vector(chunk.handle, i); };
    for (idx_t row = 0; row < count; ++row) {
      WrittenFile& file = files.emplace_back();
      file.path = TextAt(column(0), row).value_or("");
      file.rows = CountAt(column(1), row);
      file.size_bytes = CountAt(column(2), row);
      EachEntry(column(4), row, [&](duckdb_vector keys, duckdb_vector values, idx_t at) {
        file.columns[LeafPath(TextAt(keys, at).value_or(""))] = StatsAt(values, at);
      });
      EachEntry(column(5), row, [&](duckdb_vector keys, duckdb_vector values, idx_t at) {
        file.partition[TextAt(keys, at).value_or("")] = TextAt(values, at);
      });
    }
  }
}

}  // namespace caudal
