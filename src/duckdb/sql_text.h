// Pieces of SQL, built from values. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/schema.h"
#include "engine/job.h"

namespace caudal {

/// ['a', 'b']
std::string LiteralList(const std::vector<std::string>& texts);

/// The text of one statement without the semicolon at its end, so that it can stand in parentheses (on lines of its
/// own, since it may end in a comment).
std::string SelectBody(std::string_view sql);

/// {'id': 1, 'tags': {__duckdb_field_id: 2, 'element': 3}}, five `_hoodie_*` columns first.
std::string FieldIds(const Schema& columns);

/// SELECT that shows a table's columns from its files; with no file, an empty table. Files that `remote` knows are read at
/// their URLs, and their rows' origins are their names.
std::string ScanOf(const TableInput& input, const RemoteFiles& remote);

/// The five columns that Hudi's readers expect in front, in order.
inline constexpr std::string_view kHoodieColumns[] = {
    "_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "_hoodie_file_name"};
inline constexpr int kFirstHoodieFieldId = 1000001;

/// The COPY statement of a write step: files in the layout's folder.
std::string CopyOf(const std::string& select, const WriteLayout& layout);

/// The same to one file, unsorted.
std::string CopyToFile(const std::string& select, const Schema& columns, const std::string& path);

}  // namespace caudal
