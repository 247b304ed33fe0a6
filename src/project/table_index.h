// The tables of a project while it is checked: who declares them, and which columns are known. A value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "project/file_context.h"
#include "project/model_file.h"

namespace caudal {

/// Among the open schemas: nobody knows which sources there are.
inline constexpr const char* kAnySchema = "*";

struct TableIndex {
  struct Entry {
    Node::Kind kind = Node::Kind::kStream;
    std::size_t source = 0, stream = 0, model = 0;
    Place place;
    /// Absent: nobody knows yet (a stream that was never loaded, a model that could not be bound).
    std::optional<Schema> columns;
  };
  std::map<std::string, Entry> tables;  // by lower-case name
  /// Schemas of files that could not be read: a table of theirs may well exist.
  std::set<std::string> open_schemas;

  const Entry* Find(const std::string& table) const;
  std::vector<std::string> Names() const;
  bool MayExist(const std::string& table) const;
};

/// Whether a table that nobody makes is one that a pattern may stand for; then it is declared, as what reads it at `place` means it.
using AdoptTable = std::function<bool(const std::string& table, const Place& place)>;

/// A stream that is, or will be, the `t`th of source `s`.
void DeclareStream(TableIndex& index, const std::string& table, std::size_t s, std::size_t t, const StreamConfig& stream,
                   const std::map<std::string, Schema>& published, ProblemList& problems);

/// Declares every stream and model; two with one name are a problem. Streams get their published columns, with the types
/// that the user stated.
TableIndex IndexTables(const Project& project, const std::map<std::string, Schema>& published,
                       std::set<std::string> open_schemas, ProblemList& problems);

std::vector<std::string> ColumnNames(const Schema& schema);

}  // namespace caudal
