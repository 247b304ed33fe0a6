// The user's folder as checked values. Immutable once loaded; thread-safe to read. `Load` finds all mistakes in one
// pass. Words of the files: docs/project.md.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/connector_spec.h"
#include "data/rows.h"
#include "data/schema.h"
#include "data/table_formats.h"
#include "project/alert_config.h"
#include "project/analyzer.h"
#include "project/catalog.h"
#include "project/check_spec.h"
#include "project/schedule.h"
#include "project/schema_contract.h"

namespace caudal {

struct Problem {
  Place place;
  std::string message;
  std::string next;
  bool warning = false;
  /// "sources/erp.yaml:3:5: message; next"
  std::string ToString() const;
};

struct ColumnConfig {
  std::string name;
  std::optional<Type> type;  // the user's word over inference
  std::string description;
  std::vector<CheckSpec> checks;
  Place place;
};

/// Which versions of a table a purge keeps: those that either rule names. Without a rule: all.
struct Retention {
  std::optional<std::chrono::milliseconds> older_than;  // what was the newest at any time since then
  std::optional<std::int64_t> versions;                 // the newest so many
  /// Readers may still hold a version that was the newest so long ago.
  std::chrono::milliseconds reader_grace{std::chrono::hours(1)};

  bool any() const { return older_than || versions; }
};

/// How many rows a load, or each file of it, should bring. Looked at before anything is published.
struct Volume {
  std::optional<std::int64_t> least, most;
  /// Percent, up or down, against the median of the last ones.
  std::optional<double> warn, fail;
  bool per_file = false;
  Severity severity = Severity::kFail;  // of least and most
  Place place;
};

/// What is expected of the loads of a stream.
struct Expectation {
  std::optional<std::chrono::milliseconds> freshness;  // rows should come at least so often
  std::optional<Volume> volume;
};

enum class WriteDisposition { kAppend, kReplace, kMerge };

/// One stream of a source: the bronze table "<source>.<stream>".
struct StreamConfig {
  std::string name;
  WriteDisposition write_disposition = WriteDisposition::kAppend;
  std::vector<std::string> primary_key;
  std::vector<std::string> partition_by;
  /// JSON: the connector's stream options, defaults filled in (forms: project/connector_options.h), and where they are
  /// given "primary_key" [..] and "incremental" {"cursor", "initial_value", "lag", "compare_keys"} as texts.
  std::string options;
  std::vector<ColumnConfig> columns;
  std::vector<CheckSpec> checks;  // of the table
  std::string description;
  int priority = 0;
  std::optional<TableFormats> formats;  // absent = the folder's, or the project's
  std::optional<Retention> retention;   // absent = the project's
  SchemaContract contract;              // of the stream, or the source's, or the project's, part by part
  Place place;
  // Of one that a pattern of `tables:` stands for:
  std::string pattern;    // as it is written; "" = the stream stands in its file by itself
  std::string at_source;  // the table: "sales.orders"
  bool appeared = false;  // later than when the source was asked first
  std::string gone;       // when the source had it no more, UTC; "" = it has it
  bool gone_now = false;  // which was seen when it was asked last
  /// Why it cannot be loaded as the pattern says. The project is good all the same: the source may change overnight.
  std::optional<Error> refused;
};

/// An entry of `tables:`: it stands for every table of the source that it matches. project/table_pattern.h
struct TablePattern {
  std::string match;
  std::vector<std::string> exclude;
  StreamConfig stream;  // what each of them is, but for its name, its table and its key; the place is the pattern's
  Expectation expected;
  Place place;
};

struct SourceConfig {
  std::string name;
  std::string type;     // connector
  std::string options;  // JSON, without secrets
  /// Option path ("client.auth.token", of a stream "streams.orders.params.key") -> name of the environment variable or
  /// secret-file entry.
  std::map<std::string, std::string> secrets;
  std::vector<StreamConfig> streams;  // those that its patterns stand for come last
  std::vector<TablePattern> patterns;
  std::string asked;             // which tables it has: SourceCatalog::asked; "" = nobody knows
  std::optional<Error> refused;  // why none of it can be loaded: a pattern that matches nothing
  std::string owner;
  std::string description;
  std::vector<std::string> tags;
  int max_parallel = 4;
  std::optional<std::vector<std::chrono::milliseconds>> retries;
  std::optional<std::chrono::milliseconds> timeout;  // of each stream's task; absent = the project's
  Place place;
};

enum class Materialize { kTable, kView, kAppend, kMerge, kPartitions, kSnapshot };

enum class OnChange { kDefault, kFull, kIgnore };

struct ModelConfig {
  std::string schema, name;  // folder below models/, file name
  std::string file;          // below the project folder
  std::string sql;           // without the header
  std::int64_t sql_line = 1;  // where `sql` begins in `file`
  Materialize materialize = Materialize::kTable;
  std::vector<std::string> key;
  std::vector<std::string> partition_by;  // at most one for kPartitions
  std::optional<std::chrono::milliseconds> late;
  std::string time_column;
  std::map<std::string, OnChange> inputs;
  std::vector<ColumnConfig> columns;
  std::vector<CheckSpec> checks;
  std::string owner, description;
  std::vector<std::string> tags;
  int priority = 0;
  std::optional<TableFormats> formats;               // absent = the folder's, or the project's
  std::optional<Retention> retention;                // absent = the project's
  std::optional<std::chrono::milliseconds> timeout;  // of its task; absent = the project's
  Place place;
  Analysis analysis;  // by the engine's parser
  std::string table() const { return schema + "." + name; }
};

/// What becomes of scheduled times that passed while nobody could run them.
enum class CatchUp { kNone, kLast, kAll };

struct PipelineConfig {
  std::string name;
  std::string schedule;  // as written, "" = by hand
  std::optional<Schedule> timer;  // the same, to ask
  TimeZone time_zone;  // of schedule and deadline
  CatchUp catch_up = CatchUp::kLast;
  std::vector<std::string> after;  // pipelines: it runs when each has succeeded since it last began
  std::vector<Place> after_places;
  std::vector<std::string> run;  // selectors; empty = everything
  std::vector<std::chrono::milliseconds> retries;
  std::optional<std::chrono::milliseconds> timeout;  // of a whole run
  std::string deadline;  // "09:00"
  int slots = 0;         // 0 = the project's
  std::string owner, description;
  std::vector<std::string> tags;
  Place place;
};

struct UnitTest {
  std::string name;
  std::string model;  // "gold.daily_sales"
  std::map<std::string, std::vector<std::map<std::string, Cell>>> given;
  std::vector<std::map<std::string, Cell>> expect;
  std::map<std::string, std::string> parameters;
  Place place;
};

/// A node of the DAG: the table that one task builds.
struct Node {
  enum class Kind { kStream, kModel };
  Kind kind = Kind::kStream;
  std::string table;  // "erp.orders"
  std::size_t source = 0, stream = 0;  // kStream: indexes into Project
  std::size_t model = 0;               // kModel
  std::vector<std::string> upstream, downstream;  // tables, ordered
  /// Other tables that its checks look at (relationships, sql), ordered. Those that do not depend on this one stand earlier
  /// in Project::nodes; a run should build them first where it builds both.
  std::vector<std::string> checked_against;
  std::vector<std::string> tags;
  int priority = 0;  // of several tasks that could start, the highest does
  TableFormats formats;
  Retention retention;
  std::string path;  // file below the project folder
};

/// What caudal.yaml says of the tables in one folder of the lake.
struct SchemaFormats {
  TableFormats formats;
  Place place;
};

struct Project {
  std::string folder;  // absolute
  std::string name;
  std::string lake_url;  // "file:///..." absolute, or "s3://bucket/prefix"
  std::string owner;     // of what names none
  std::map<std::string, Parameter> parameters;
  std::vector<std::chrono::milliseconds> retries;
  SchemaContract contract;  // of each stream whose source says nothing
  int slots = 2;
  int runs = 2;  // that the daemon has at once
  std::optional<std::chrono::milliseconds> task_timeout;  // of each task that names none
  std::int64_t worker_memory_bytes = std::int64_t{1} << 30;
  std::int64_t worker_spill_bytes = std::int64_t{8} << 30;
  TableFormats formats = kAllFormats;
  std::map<std::string, SchemaFormats> schema_formats;  // by the first part of a table's name
  Retention retention;                                  // of each table that names none
  std::vector<SourceConfig> sources;
  std::vector<ModelConfig> models;
  std::vector<PipelineConfig> pipelines;
  std::vector<UnitTest> tests;
  AlertConfig alerts;
  std::vector<Node> nodes;  // in an order in which they can be built
  std::string hash;         // of the contents of every file that was read: the release
  std::vector<Problem> warnings;
  std::map<std::string, Expectation> expectations;  // by table; a table that none is named for is not here
  /// Source that `for_each` made -> the values of its item, in the order in which they stand.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> for_each;

  /// Empty where nothing is expected.
  const Expectation& ExpectedOf(const std::string& table) const;
  const Node* Find(std::string_view table) const;
  const ModelConfig& model(const Node& node) const { return models[node.model]; }
  const SourceConfig& source(const Node& node) const { return sources[node.source]; }
  const StreamConfig& stream(const Node& node) const { return sources[node.source].streams[node.stream]; }
};

/// What Load needs from outside.
struct LoadOptions {
  std::string folder;
  const std::vector<ConnectorSpec>* connectors = nullptr;
  SqlAnalyzer* analyzer = nullptr;  // null: SQL is not looked at (Analysis stays empty, the DAG has no model edges)
  /// Columns of tables as they are published now, for bronze tables whose schema only the lake knows; may be empty.
  std::map<std::string, Schema> published;
  /// What sources with patterns have, as they were asked last: by source. Catalogs that nobody asked for are missing.
  Catalogs catalogs = {};
};

struct LoadOutcome {
  std::shared_ptr<const Project> project;  // null where there are errors
  std::vector<Problem> problems;           // errors and warnings, ordered by file and line
};

/// Never fails as a call: whatever is wrong is a Problem.
LoadOutcome LoadProject(const LoadOptions& options);

/// Walks up from `start` to the folder that holds caudal.yaml. Errors: kNotFound that says what to type.
Result<std::string> FindProjectFolder(const std::string& start);

/// Tables that dbt's selector grammar names: "silver.orders", "tag:x", "path:models/gold", "source:erp", "+up", "down+",
/// "2+x+1", "@x", globs; blank = OR, comma = AND; `exclude` likewise. Errors: kNotFound with the nearest valid name.
Result<std::set<std::string>> Select(const Project& project, const std::vector<std::string>& select,
                                     const std::vector<std::string>& exclude);

/// The nearest of `names` to `word` by edit distance, or "".
std::string Nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace caudal
