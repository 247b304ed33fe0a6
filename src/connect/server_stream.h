// A stream of a database server: what its options and its last cursor ask for, the columns that the server's catalog tells,
// and the pieces of SQL that every such server needs. Values and pure functions.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connect/options.h"
#include "connect/source.h"
#include "data/rows.h"
#include "data/type.h"

namespace caudal {

/// A column, and how each of its values travels.
struct ServerColumn {
  std::string name;
  std::string type;    // ours, as SQL
  std::string server;  // expression of the server whose value travels; "" = the column itself
  std::string client;  // DuckDB's expression of what arrived that is its value; "" = the cast to `type`
  std::string text;    // expression of the server that says the whole value as text; "" = that of `server`
  std::string client_text;  // DuckDB's expression of what arrived then, a VARCHAR or a BLOB; "" = the cast to VARCHAR
  std::string guard;   // condition of the server: the scanner would turn this value into another one; "" = none does
  std::string kind;    // the server's name of the type: "timestamptz"
  bool readable = true;
};

const ServerColumn* FindColumn(const std::vector<ServerColumn>& columns, const std::string& name);

/// What the options and the last cursor ask for.
struct ServerStream {
  std::string schema, table;        // table "" = a query
  std::string query;
  std::vector<std::string> select;  // empty = all
  std::string column;               // of the cursor, "" = a full read
  std::optional<std::string> initial, lag;
  bool continues = false;            // the last cursor is one of this column
  std::optional<std::string> value;  // its value, where it holds one
};

/// `schema_option`: the word for it, of the stream and of the source.
Result<ServerStream> AskServerStream(const SourceRequest& request, const Options& options, const std::string& schema_option,
                                     const std::string& default_schema);

/// Leaves the columns that are asked for, each readable. Errors: kNotFound, kPermission, kInvalidArgument.
Status TakeColumns(const SourceRequest& request, const ServerStream& stream, std::vector<ServerColumn>& columns);

/// `neighbours`: tables that are there, "" = none.
Error NoSuchTable(const SourceRequest& request, const ServerStream& stream, const std::string& schema_option,
                  const std::string& neighbours);

/// What stands behind FROM on the server.
std::string RelationOf(const ServerStream& stream, const std::function<std::string(const std::string&)>& quoted);

/// A number without a fraction, of no more than 20 digits: what a server holds in 64 bits.
bool IsWholeNumber(std::string_view text);

/// The rows that a read takes, in the server's words: from the initial value on, and from the last one less `lag` on, that
/// one included, and those without a value; "" = all. `back` gives a time less some milliseconds.
/// Errors: kInvalidArgument, where `lag` is not of the cursor's kind.
Result<std::string> CursorCondition(
    const ServerStream& stream, const std::string& column, const std::function<std::string(const std::string&)>& literal,
    const std::function<std::string(const std::string& value, std::chrono::milliseconds lag)>& back);

/// The cursor to commit: `value`, or the last one where no row had one.
std::string CursorText(const ServerStream& stream, const Cell& value);

/// SELECT lists of the same columns.
struct ServerLists {
  std::string sent, texts_sent;    // the server's words
  std::string shown, texts_shown;  // DuckDB's
};
ServerLists ListsOf(const std::vector<ServerColumn>& columns, const std::function<std::string(const std::string&)>& quoted);

/// `columns` that request.keys names, in its order. Errors: kInvalidArgument: one is not there.
Result<std::vector<ServerColumn>> KeyColumns(const SourceRequest& request, const std::vector<ServerColumn>& columns);

/// Begins a row of a server's catalog; what follows is the server's own.
enum CatalogCell : std::size_t { kSchemaCell, kTableCell, kColumnCell, kKeyPlaceCell, kRowsCell, kFirstOwnCell };

struct CatalogType {
  Type type;
  bool time = false;    // it can tell what is new
  bool number = false;  // it can, as a key
};

/// Streams of a catalog's rows, which come by table. A table outside of schema `home` is called schema.table. A key place
/// below 0: not in the key.
Result<std::vector<StreamOffer>> OffersOf(const Rows& rows, const std::string& home,
                                          const std::function<Result<CatalogType>(const std::vector<Cell>& row)>& type_of);

/// 0 for NULL.
std::int64_t NumberIn(const Cell& cell);

}  // namespace caudal
