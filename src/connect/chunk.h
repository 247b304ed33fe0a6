// Raw bytes on their way in, and what stands in staging afterwards. Formats: docs/formats/raw.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

/// A column that stands in a file's path and not in the file: `country=France/`; absent = NULL. Delta's word for it.
struct PartitionValue {
  std::string column;
  std::optional<std::string> value;
  bool operator==(const PartitionValue&) const = default;
};

/// How the bytes of a raw object are to be parsed. Stays with the raw object in the commit, so that a rebuild from raw
/// parses the same way.
struct ChunkFormat {
  std::string kind = "csv";  // csv, ndjson, json, parquet, xlsx, singer (a tap's lines), pages (several bodies of `body` kind in one object)
  std::string body;          // kind of each page: "json", "ndjson", "csv"
  std::string compression = "none";  // of the bytes as they came: none, gzip, zstd
  // csv
  std::string delimiter = ",";
  std::string quote = "\"";
  std::string escape = "\"";
  std::string encoding = "utf-8";  // or latin-1
  bool header = true;
  std::vector<std::string> columns;  // names; filled from the header where there is one
  // csv, ndjson
  std::string trailer;  // pattern of the last line, which is no record and tells their number (connect/trailer.h); "" = none
  // json
  std::vector<std::string> selector;  // path to the array of records; "*" steps into every member; singer: the stream; xlsx: sheet, range
  // parquet
  std::vector<PartitionValue> partition_values;  // they stand before a column of the file with the same name
  bool numbered = false;  // a database's rows, as Caudal wrote them: their numbers are in a column `_source_row`
};
Json ChunkFormatToJson(const ChunkFormat& format);
Result<ChunkFormat> ChunkFormatFromJson(const Json& json);

/// One raw object: exactly the bytes as they came, compressed by zstd unless they were compressed.
struct StagedChunk {
  std::string raw_path;  // in staging; the caller moves it to raw/
  std::string extension;  // "csv.zst", "csv.gz", "parquet", ...
  std::string origin;
  std::string sha256;             // of the bytes as they came
  std::int64_t size_bytes = 0;    // of the bytes as they came
  std::int64_t stored_bytes = 0;  // of raw_path
  std::int64_t rows = 0;          // records counted while splitting; for parquet from the footer, filled by the parse
  ChunkFormat format;
};

/// What every value of a CSV column is; empty values do not count. Seen by the splitter on its way.
struct ColumnFacts {
  enum : std::uint32_t {
    kInteger = 1,     // -?digits, at most 18
    kDecimal = 2,     // -?digits[.digits]
    kDouble = 4,      // the same with an exponent
    kPlain = 8,       // numbers without leading zeros: "007" is a code
    kBoolean = 16,    // true, false
    kDate = 32,       // 2026-01-31
    kTimestamp = 64,  // 2026-01-31[T ]10:00[:00[.123456][Z|+01:00]], or a date
    kAll = 127,
  };
  std::uint32_t classes = kAll;
  bool any = false;  // a value that is not empty was seen
  std::int32_t integer_digits = 0;
  std::int32_t fraction_digits = 0;
};

/// Records of one or more chunks that have the same columns, ready to be parsed by a compute worker.
/// csv: each record is `<chunk index>,<line>,` and the record as it came (xlsx: as CSV). ndjson: one line a record,
/// `<chunk index>\t<line>\t<json>`. parquet: the file itself, of the one chunk `first_chunk`.
struct StagedBatch {
  std::string kind;  // csv, ndjson, parquet
  std::string path;
  std::vector<std::string> columns;  // csv: names after the two
  std::string delimiter, quote, escape;
  std::int64_t rows = 0;
  std::int64_t first_chunk = 0;
  /// csv: what all values of each column are, beside `columns`: lets the parse read them as that type in one scan.
  std::vector<ColumnFacts> facts;
  std::int64_t longest_record_bytes = 0;
  std::vector<PartitionValue> partition_values;  // parquet: of the chunk's format
  bool numbered = false;                         // parquet: likewise
  /// csv: a quoted value holds a line end, so that the file cannot be cut at any line.
  bool multiline = false;
};

/// A record that could not be split into columns (ragged row, broken JSON).
struct SplitReject {
  std::int64_t chunk = 0;
  std::int64_t row = 0;
  std::string reason;
  std::string text;
};

struct StagedRead {
  std::vector<StagedChunk> chunks;
  std::vector<StagedBatch> batches;
  /// NDJSON file of SplitRejects in staging, "" = none.
  std::string rejects_path;
  std::int64_t rejected = 0;
  std::string cursor;  // JSON; what to commit
  bool unchanged = false;
  /// kRelation: the Parquet file that is raw and candidate at once, and its columns.
  std::string relation_file;     // WrittenFileToJson text, "" = not relation-shaped or no rows
  std::string relation_columns;  // SchemaToJson text
  /// kRelation: the Parquet file with the key columns of every row that the source has, "" = not asked for; how many.
  std::string keys_file;
  std::int64_t keys = 0;
  /// Chunks that replace earlier ones of the same origin (a repaired file): origin -> index into chunks.
  std::map<std::string, std::int64_t> replaces;
  /// What the reader of the log should know: a file left for the next run, a duplicate that was skipped.
  std::vector<std::string> notes;
};
Json StagedReadToJson(const StagedRead& read);
Result<StagedRead> StagedReadFromJson(const Json& json);

/// Where a source puts its bytes. Calls: Begin, Append*, End, again for the next chunk. A failed call ends the read.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  /// `origin`: file name or URL, without credentials.
  virtual Status Begin(std::string_view origin, const ChunkFormat& format) = 0;
  virtual Status Append(std::string_view bytes) = 0;
  /// A page's end inside a `pages` chunk; `url` of the page that ends. `members`: what each of its records gets besides,
  /// the inside of a JSON object ("\"_orders_id\":7"), or "".
  virtual Status EndPage(std::string_view url, std::string_view members) = 0;
  /// Errors: kCorruption naming origin and line where the bytes end inside a row or a quote.
  virtual Status End() = 0;
  /// SHA-256 of the bytes, as they came, of the chunk that was just ended.
  virtual std::string LastDigest() const = 0;
  /// Records in it, those included that could not be split; 0 for Parquet.
  virtual std::int64_t LastRows() const = 0;
  /// Marks the chunk that was just ended as the new state of an origin that was loaded before.
  virtual void Replaces(std::string_view origin) = 0;
  /// False once the run wants to stop; sources ask between requests.
  virtual bool WantsMore() const = 0;
};

}  // namespace caudal
