#include "connect/server_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "data/name.h"

namespace caudal {

const ServerColumn* FindColumn(const std::vector<ServerColumn>& columns, const std::string& name) {
  for (const ServerColumn& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Result<ServerStream> AskServerStream(const SourceRequest& request, const Options& options, const std::string& schema_option,
                                     const std::string& default_schema) {
  TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
  ServerStream asked;
  asked.query = stream.Text("query", "");
  if (asked.query.empty()) asked.table = stream.Text("table", request.stream);
  asked.schema = stream.Text(schema_option, options.Text(schema_option, default_schema));
  asked.select = stream.Texts("select");
  asked.column = stream.Text("incremental.cursor", "");
  if (stream.Has("incremental.initial_value")) asked.initial = stream.Text("incremental.initial_value", "");
  if (stream.Has("incremental.lag")) asked.lag = stream.Text("incremental.lag", "");
  if (request.cursor.empty() || asked.column.empty()) return asked;
  TRY_ASSIGN(const Json cursor, ParseJson(request.cursor, "the cursor of a database source"));
  // Another cursor column means another history: from the beginning.
  asked.continues = JsonString(cursor, "column", "") == asked.column;
  if (asked.continues && cursor.contains("value")) asked.value = JsonString(cursor, "value", "");
  return asked;
}

Status TakeColumns(const SourceRequest& request, const ServerStream& stream, std::vector<ServerColumn>& columns) {
  std::string all;
  for (const ServerColumn& column : columns) all += (all.empty() ? "" : ", ") + column.name;
  std::vector<std::string> named = stream.select;
  if (!stream.column.empty()) named.push_back(stream.column);
  for (const std::string& column : named) {
    if (FindColumn(columns, column) != nullptr) continue;
    const bool cursor = column == stream.column;
    return Error{ErrorKind::kNotFound, fmt::format("the stream {} has no column '{}', which `{}` names", request.stream, column,
                                                   cursor ? "incremental:" : "select:"),
                 "write one of: " + all, ""};
  }
  if (!stream.select.empty()) {
    std::vector<ServerColumn> chosen;
    for (const std::string& column : stream.select) chosen.push_back(*FindColumn(columns, column));
    if (!stream.column.empty() && FindColumn(chosen, stream.column) == nullptr) {
      return Error{ErrorKind::kInvalidArgument, "`select:` leaves out the cursor column " + stream.column, "add it to `select:`", ""};
    }
    columns = std::move(chosen);
  }
  for (const ServerColumn& column : columns) {
    if (column.readable) continue;
    return Error{ErrorKind::kPermission, fmt::format("the user has no right to read {}.{} (column {})", stream.schema, stream.table, column.name),
                 fmt::format("GRANT SELECT ON {}.{} TO the user", stream.schema, stream.table), ""};
  }
  if (!columns.empty()) return {};
  return Error{ErrorKind::kInvalidArgument, "the stream has no column: " + request.stream, "choose another table", ""};
}

Error NoSuchTable(const SourceRequest& request, const ServerStream& stream, const std::string& schema_option,
                  const std::string& neighbours) {
  return Error{ErrorKind::kNotFound, fmt::format("there is no table {}.{}, for stream {}", stream.schema, stream.table, request.stream),
               neighbours.empty() ? fmt::format("correct `{}:`; there is no table in this one", schema_option)
                                  : "write `table:` for the stream; there are: " + neighbours,
               ""};
}

std::string RelationOf(const ServerStream& stream, const std::function<std::string(const std::string&)>& quoted) {
  if (stream.table.empty()) return "(\n" + stream.query + "\n) AS stream";
  return quoted(stream.schema) + "." + quoted(stream.table);
}

bool IsWholeNumber(std::string_view text) {
  if (text.starts_with("-")) text.remove_prefix(1);
  return !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::string> CursorCondition(
    const ServerStream& stream, const std::string& column, const std::function<std::string(const std::string&)>& literal,
    const std::function<std::string(const std::string& value, std::chrono::milliseconds lag)>& back) {
  std::string condition;
  const auto from = [&](const std::string& value) {
    condition += fmt::format("{0}({1} >= {2} OR {1} IS NULL)", condition.empty() ? "" : " AND ", column, value);
  };
  if (stream.initial) from(literal(*stream.initial));
  if (!stream.value) return condition;
  if (!stream.lag) {
    from(literal(*stream.value));
  } else if (IsWholeNumber(*stream.value)) {
    if (!IsWholeNumber(*stream.lag)) {
      return Error{ErrorKind::kInvalidArgument, "the cursor is a number, so `lag` is one, too: " + *stream.lag, "write `lag: 1000`", ""};
    }
    from(fmt::format("{} - {}", *stream.value, *stream.lag));
  } else {
    TRY_ASSIGN(const std::chrono::milliseconds lag, ParseDuration(*stream.lag));
    from(back(*stream.value, lag));
  }
  return condition;
}

std::string CursorText(const ServerStream& stream, const Cell& value) {
  Json cursor = Json::object();
  if (!stream.column.empty()) cursor["column"] = stream.column;
  const Cell& last = value ? value : stream.value;
  if (!stream.column.empty() && last) cursor["value"] = *last;
  return DumpJson(cursor);
}

ServerLists ListsOf(const std::vector<ServerColumn>& columns, const std::function<std::string(const std::string&)>& quoted) {
  ServerLists lists;
  for (const ServerColumn& column : columns) {
    const std::string here = QuoteIdentifier(column.name);
    const std::string there = quoted(column.name);
    const char* comma = lists.sent.empty() ? "" : ", ";
    const std::string& sent = column.server.empty() ? there : column.server;
    lists.sent += fmt::format("{}{} AS {}", comma, sent, there);
    lists.texts_sent += fmt::format("{}{} AS {}", comma, column.text.empty() ? sent : column.text, there);
    lists.shown += fmt::format("{}{} AS {}", comma,
                               column.client.empty() ? fmt::format("CAST({} AS {})", here, column.type) : column.client, here);
    lists.texts_shown += fmt::format("{}{} AS {}", comma,
                                     column.client_text.empty() ? fmt::format("CAST({} AS VARCHAR)", here) : column.client_text, here);
  }
  return lists;
}

std::int64_t NumberIn(const Cell& cell) { return cell ? std::strtoll(cell->c_str(), nullptr, 10) : 0; }

Result<std::vector<ServerColumn>> KeyColumns(const SourceRequest& request, const std::vector<ServerColumn>& columns) {
  std::vector<ServerColumn> keys;
  for (const std::string& name : request.keys) {
    const ServerColumn* column = FindColumn(columns, name);
    if (column == nullptr) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("stream {}: the key's column {} is not read, so keys cannot be compared", request.stream, name),
                   "take `compare_keys` out, or correct `primary_key` and `select`", ""};
    }
    keys.push_back(*column);
  }
  return keys;
}

Result<std::vector<StreamOffer>> OffersOf(const Rows& rows, const std::string& home,
                                          const std::function<Result<CatalogType>(const std::vector<Cell>& row)>& type_of) {
  std::vector<StreamOffer> offers;
  std::vector<std::pair<std::int64_t, std::string>> key;
  const auto end = [&] {
    if (offers.empty()) return;
    std::sort(key.begin(), key.end());
    for (auto& [place, column] : key) offers.back().key.push_back(std::move(column));
    key.clear();
  };
  for (const std::vector<Cell>& row : rows.rows) {
    const std::string schema = row[kSchemaCell].value_or("");
    const std::string table = row[kTableCell].value_or("");
    const std::string name = schema == home ? table : schema + "." + table;
    if (offers.empty() || offers.back().name != name) {
      end();
      offers.emplace_back().name = name;
      offers.back().rows_estimate = NumberIn(row[kRowsCell]);
      offers.back().schema = schema;
      offers.back().table = table;
    }
    StreamOffer& offer = offers.back();
    const std::string column = row[kColumnCell].value_or("");
    TRY_ASSIGN(CatalogType type, type_of(row));
    const bool in_key = NumberIn(row[kKeyPlaceCell]) >= 0;
    if (in_key) key.emplace_back(NumberIn(row[kKeyPlaceCell]), column);
    if (type.time || (in_key && type.number)) offer.cursor_candidates.push_back(column);
    offer.columns.fields.push_back(Field{column, std::move(type.type), 0});
  }
  end();
  return offers;
}

}  // namespace caudal
