// The contract of a connector: its spec as data, and one of two shapes. Connectors run only inside extract workers.
// One file src/connect/builtin/<name>.cc = one connector = one `void Register_<name>(Registry&)`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "connect/chunk.h"
#include "data/connector_spec.h"
#include "data/rows.h"
#include "data/schema.h"
#include "engine/job.h"

namespace caudal {

/// What is asked of a source. A Check of a spec with `checks_streams` may name a stream. Options were checked against the spec and hold defaults; secrets were merged in.
struct SourceRequest {
  std::string source;
  std::string stream;  // "" for Check and Discover
  std::string project_folder;
  std::string options;         // JSON object
  std::string stream_options;  // JSON object; common words: incremental {cursor, initial_value, lag}, primary_key
  std::string cursor;          // JSON object as the last commit holds it; "" = from the beginning
  Schema pinned;               // columns of the table so far, ids given; empty at the first read
  std::vector<std::string> secrets;  // what was merged in: no message, raw object or cursor may hold it; never serialised
  std::string raw_key;         // key of the first raw object of this read: `_source_file` of a relation's rows
  std::int64_t sample_rows = 0;  // 0 = all; else about so many are enough, and no cursor comes of it
  std::string scratch_folder;  // for files that last as long as the request; set where it is answered
  std::vector<std::string> widens = {};  // columns whose pinned type gives way to the source's, where that holds all its values
  std::vector<std::string> keys = {};    // not empty: these columns of every row are wanted besides, to tell which are gone
};

/// A stream that a source offers.
struct StreamOffer {
  std::string name;
  Schema columns;
  std::vector<std::string> key;
  std::vector<std::string> cursor_candidates;
  std::int64_t rows_estimate = -1;  // -1 = unknown
  std::string schema = {};          // as the spec's options say it, "" = there are none
  std::string table = {};           // "" = its name
};

/// The cursor to commit with the rows; nothing new keeps the cursor as it was.
struct ReadOutcome {
  std::string cursor;
  bool unchanged = false;
  /// For the log: "day.csv: still being written, left for the next run".
  std::vector<std::string> notes;
};

class Program;

/// Chunks of bytes as they came. Not thread-safe; lives for one request.
class BytesSource {
 public:
  virtual ~BytesSource() = default;
  /// Comes first, where the spec names a program; it outlives the source.
  virtual void Use(Program* /*program*/) {}
  /// Reaches the source with the credentials and touches no data. Errors say which part is wrong.
  virtual Status Check(const SourceRequest& request) = 0;
  virtual Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) = 0;
  /// Gives everything after request.cursor to `sink`, at least once. Errors: kUnavailable and kTimeout are retried.
  virtual Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) = 0;
  /// request.cursor stands in a commit: what was read up to it may be put away at the source. Repeated until it succeeds, so
  /// it does nothing where all is done. Gives notes for the log. Asked only of streams with `after_load`.
  virtual Result<std::vector<std::string>> Committed(const SourceRequest& /*request*/) { return std::vector<std::string>{}; }
};

/// Bounded SQL over an attached database; the worker runs it, the source understands the rows.
struct RelationQuestion {
  AttachedDatabase database;
  std::string sql;
};

/// `sql` and `cursor_sql` of a RelationRead whose columns are VARCHAR, or BLOB: of bytes, and of texts that may be none.
struct RelationTexts {
  std::string sql;
  std::string cursor_sql;
};

/// What to copy: the SELECT, and the SELECT of one row, one VARCHAR cell that becomes the cursor's value ("" = no
/// cursor). All see one snapshot of the source.
struct RelationRead {
  AttachedDatabase database;
  std::string sql;
  std::string cursor_sql;
  /// The same rows with `_source_row` besides, a BIGINT above 0 that no other of them has; "" = they are counted as they come,
  /// by one thread.
  std::string numbered_sql = {};
  std::string keys_sql = {};  // request.keys of all rows, whatever the cursor; "" where they are not asked for
  /// The source knows, without reading, that there is nothing behind request.cursor.
  bool unchanged = false;
  /// The same rows as texts that lose nothing, for a database whose values need not be of their column's type; `columns`
  /// are those of `sql`. Taken where `sql` fails for a value: the rows are then typed like those of a file, one by one.
  std::function<Result<RelationTexts>(const Schema& columns)> as_texts;
};

class RelationSource {
 public:
  virtual ~RelationSource() = default;
  virtual Result<RelationQuestion> Check(const SourceRequest& request) = 0;
  virtual Result<RelationQuestion> Discover(const SourceRequest& request) = 0;
  virtual Result<std::vector<StreamOffer>> Offers(const SourceRequest& request, const Rows& rows) = 0;
  /// What must be known before a read's snapshot is taken; asked in this order, each in a transaction of its own that
  /// ends before the next begins. Also what a check of one stream asks.
  virtual Result<std::vector<RelationQuestion>> Before(const SourceRequest& /*request*/) {
    return std::vector<RelationQuestion>{};
  }
  /// The answers, before Read. Errors: the stream is not there, or may not be read.
  virtual Status Learn(const SourceRequest& /*request*/, const std::vector<Rows>& /*answers*/) { return {}; }
  virtual Result<RelationRead> Read(const SourceRequest& request) = 0;
  /// The cursor to commit, from cursor_sql's cell (absent: no row had one).
  virtual Result<ReadOutcome> Cursor(const SourceRequest& request, const Cell& cell) = 0;
  /// The database's own message as one that says what to do; kUnavailable where a later try may succeed.
  virtual Error Explain(const SourceRequest& request, Error error) const = 0;
  /// Whether a read failed for a value that is not of its column's type.
  virtual bool IsAboutAValue(const Error& /*error*/) const { return false; }
};

struct Connector {
  ConnectorSpec spec;
  std::function<std::unique_ptr<BytesSource>()> make_bytes;        // exactly one of the two is set
  std::function<std::unique_ptr<RelationSource>()> make_relation;
  /// What the next read asks for, in a few words for people: "rows with id from 42 on". `stream_options` and `cursor` as a
  /// SourceRequest has them, read as JSON; `cursor` is null before the first load. Pure.
  std::function<std::string(const Json& stream_options, const Json& cursor)> next_in_words = {};
};


/// Not thread-safe while it is filled; afterwards only read.
class Registry {
 public:
  void Add(Connector connector);
  /// Errors: kNotFound that lists what is registered.
  Result<const Connector*> Find(std::string_view name) const;
  std::vector<ConnectorSpec> Specs() const;

 private:
  std::map<std::string, Connector, std::less<>> x_connectors;
};

/// All connectors of src/connect/builtin.
const Registry& BuiltinRegistry();

/// The same of any connector, also where it is not registered, or has no words of its own. Texts as in SourceRequest.
std::string NextInWords(const Registry& registry, const std::string& connector, const std::string& stream_options,
                        const std::string& cursor);
/// For databases that read by a growing column: cursor {"column", "value"}; without one, all rows.
std::string NextRowsInWords(const Json& stream_options, const Json& cursor);

}  // namespace caudal
