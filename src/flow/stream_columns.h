// The columns of a bronze table: pinned, added, declared, refused. Pure.
#pragma once

#include <string>
#include <vector>

#include "connect/chunk.h"
#include "lake/snapshot.h"
#include "project/project.h"

namespace caudal {

struct StreamColumns {
  const std::string& table;
  const StreamConfig& stream;
  const Snapshot* base;  // null: the first load
  bool replaces;         // every row is written anew
  bool forgets;          // the pinned columns count no more
  bool widens;           // a type gives way to a wider one of `found`
};

/// The table's columns with their ids: pinned ones stay, new ones of `found` are added; the user's types win
/// where all rows are written anew, or where they are wider. Errors: kInvalidArgument for a type or a layout that only a
/// rebuild can give, and for a key or partition column that is not there; `where` is the project's.
Result<Schema> NextStreamColumns(const StreamColumns& columns, Schema found);

/// A CSV file that shares no column with the table is another table's: its rows would be NULLs. Errors: kCorruption with
/// the file and both lists of columns.
Status RefuseForeignFiles(const std::vector<StagedChunk>& chunks, const Snapshot& base);

}  // namespace caudal
