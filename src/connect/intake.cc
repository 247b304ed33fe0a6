#include "connect/intake.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/hive_path.h"
#include "connect/typing_sql.h"
#include "connect/value_class.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::int64_t kLineBytes = std::int64_t{2} << 20;

std::string Joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

/// Options that a batch file's reader needs for its longest record.
std::string LineLimits(const StagedBatch& batch) {
  if (batch.longest_record_bytes + 64 < kLineBytes) return "";
  const std::int64_t line = batch.longest_record_bytes + 1024;
  return fmt::format(", max_line_size={}, buffer_size={}", line, 2 * line);
}

/// read_csv over a CSV batch: columns c (chunk), r (line), f0, f1, ... of the given types.
std::string ReadCsv(const StagedBatch& batch, const std::vector<std::string>& types) {
  std::string columns = "'c': 'INTEGER', 'r': 'BIGINT'";
  for (std::size_t i = 0; i < types.size(); ++i) columns += fmt::format(", 'f{}': {}", i, QuoteLiteral(types[i]));
  return fmt::format(
      "read_csv({}, auto_detect=false, header=false, delim={}, quote={}, escape={}, new_line='\\n', nullstr='', "
      "strict_mode=true, columns={{{}}}{}{})",
      QuoteLiteral(batch.path), QuoteLiteral(batch.delimiter), QuoteLiteral(batch.quote),
      QuoteLiteral(batch.quote.empty() ? "" : batch.escape), columns, batch.multiline ? ", parallel=false" : "",
      LineLimits(batch));
}

/// read_csv over an NDJSON batch: columns c, r, j (text).
std::string ReadLines(const StagedBatch& batch) {
  return fmt::format(
      "read_csv({}, auto_detect=false, header=false, delim='\\t', quote='', escape='', new_line='\\n', nullstr='', "
      "strict_mode=true, columns={{'c': 'INTEGER', 'r': 'BIGINT', 'j': 'VARCHAR'}}{})",
      QuoteLiteral(batch.path), LineLimits(batch));
}

/// Every chunk's raw key by its number in the SQL expression `index`.
class Keys {
 public:
  explicit Keys(const std::vector<std::string>& raw_keys) : x_keys(raw_keys) {}
  std::string Of(std::string_view index) const {
    if (x_keys.size() == 1) return QuoteLiteral(x_keys[0]);
    std::vector<std::string> literals;
    for (const std::string& key : x_keys) literals.push_back(QuoteLiteral(key));
    return fmt::format("list_extract([{}]::VARCHAR[], {} + 1)", Joined(literals, ", "), index);
  }
  std::string Of(std::int64_t index) const { return QuoteLiteral(x_keys[static_cast<std::size_t>(index)]); }

 private:
  const std::vector<std::string>& x_keys;
};

/// A column that may not fit, in a batch's SQL.
struct Doubt {
  const Field* field = nullptr;
  std::string misfit;  // condition
  std::string text;    // the value as text
};

/// The SELECTs of one batch.
struct Parts {
  std::string typed;
  std::string rejected;  // "" = nothing can be rejected
  std::string misfits = {};  // "" = everything fits
};

struct Words {
  const Schema* schema = nullptr;
  const Keys* keys = nullptr;
  Misfit misfit = Misfit::kReject;
  std::string task;
  std::string now;
};

/// A SELECT of RejectSchema's columns from `from`, where one of the doubts is true. NULL is no doubt.
std::string RejectSelect(const Words& words, const std::vector<Doubt>& doubts, const std::string& row,
                         const std::string& file, const std::string& line, const std::string& from) {
  std::string which;
  std::string values;
  for (std::size_t i = 0; i < doubts.size(); ++i) {
    which += fmt::format(" WHEN {} THEN {}", doubts[i].misfit, i);
    values += fmt::format(" WHEN {} THEN {}", i, doubts[i].text);
  }
  std::string reasons;
  std::string names;
  for (std::size_t i = 0; i < doubts.size(); ++i) {
    const bool whole = doubts[i].field == nullptr;
    reasons += fmt::format(" WHEN {} THEN {}", i,
                           whole ? QuoteLiteral("is no valid JSON")
                                 : fmt::format("{} || coalesce(__value, '') || ''''",
                                               QuoteLiteral(fmt::format("not a {}: '", doubts[i].field->type.ToSql()))));
    names += fmt::format(" WHEN {} THEN {}", i, whole ? "NULL" : QuoteLiteral(doubts[i].field->name));
  }
  return fmt::format(
      "SELECT CASE __which{} END AS _reason, CASE __which{} END::VARCHAR AS _column, __value AS _value, __text AS _row, "
      "__file AS _source_file, __line AS _source_row, {} AS _task, {} AS _rejected_at FROM (SELECT *, CASE __which{} "
      "END::VARCHAR AS __value FROM (SELECT *, CASE{} END AS __which, {} AS __text, {} AS __file, {} AS __line FROM {})) "
      "WHERE __which IS NOT NULL",
      reasons, names, words.task, words.now, values, which, row, file, line, from);
}

/// Each value that is one of the doubts.
std::string MisfitSelect(const std::vector<Doubt>& doubts, const std::string& file, const std::string& line, const std::string& from) {
  std::string items;
  std::string any;
  for (const Doubt& doubt : doubts) {
    items += fmt::format("{}{{'_column': {}, '_value': ({})::VARCHAR, 'misfit': coalesce({}, false)}}", items.empty() ? "" : ", ",
                         QuoteLiteral(doubt.field->name), doubt.text, doubt.misfit);
    any += (any.empty() ? "" : " OR ") + doubt.misfit;
  }
  return fmt::format("SELECT m._column AS _column, m._value AS _value, _source_file, _source_row FROM (SELECT unnest(list_filter([{}], "
                     "lambda d: d.misfit)) AS m, {} AS _source_file, {} AS _source_row FROM {} WHERE {})", items, file, line, from, any);
}

/// Takes those out of `doubts` that are to be NULL.
std::vector<Doubt> TakeNulls(const Words& words, std::vector<Doubt>& doubts) {
  std::vector<Doubt> nulls;
  if (words.misfit == Misfit::kReject) return nulls;
  for (const Doubt& doubt : doubts) {
    if (doubt.field != nullptr) nulls.push_back(doubt);
  }
  std::erase_if(doubts, [](const Doubt& doubt) { return doubt.field != nullptr; });
  return nulls;
}

std::string NoneOf(const std::vector<Doubt>& doubts) {
  std::string sql;
  for (const Doubt& doubt : doubts) {
    sql += fmt::format("{}NOT coalesce({}, false)", sql.empty() ? " WHERE " : " AND ", doubt.misfit);
  }
  return sql;
}

std::size_t ColumnIndex(const StagedBatch& batch, const std::string& name) {
  const auto same = [&](const std::string& other) { return SameName(other, name); };
  return static_cast<std::size_t>(std::find_if(batch.columns.begin(), batch.columns.end(), same) -
                                  batch.columns.begin());
}

Parts CsvParts(const Words& words, const StagedBatch& batch) {
  std::vector<std::string> types(batch.columns.size(), "VARCHAR");
  std::vector<std::string> items;
  std::vector<Doubt> doubts;
  for (const Field& field : words.schema->fields) {
    const std::size_t index = ColumnIndex(batch, field.name);
    const std::string name = QuoteIdentifier(field.name);
    if (index == batch.columns.size()) {
      items.push_back(fmt::format("NULL::{} AS {}", field.type.ToSql(), name));
      continue;
    }
    const std::string column = fmt::format("f{}", index);
    if (index < batch.facts.size() && SurelyFits(batch.facts[index], field.type)) {
      types[index] = field.type.ToSql();
      items.push_back(column + " AS " + name);
      continue;
    }
    const std::string cast = ExactCast(column, field.type);
    items.push_back(cast + " AS " + name);
    doubts.push_back(Doubt{&field, fmt::format("({} IS NOT NULL AND ({}) IS NULL)", column, cast), column});
  }
  Parts parts;
  const std::vector<std::string> text(batch.columns.size(), "VARCHAR");
  const std::vector<Doubt> nulls = TakeNulls(words, doubts);
  parts.typed = fmt::format("SELECT {}, {} AS _source_file, r AS _source_row FROM {}{}", Joined(items, ", "),
                            words.keys->Of("c"), ReadCsv(batch, types), NoneOf(doubts));
  if (!nulls.empty()) parts.misfits = MisfitSelect(nulls, words.keys->Of("c"), "r", ReadCsv(batch, text));
  if (doubts.empty()) return parts;
  std::vector<std::string> members;
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    members.push_back(fmt::format("{}, f{}", QuoteLiteral(batch.columns[i]), i));
  }
  const std::string row = fmt::format("json_object({})::VARCHAR", Joined(members, ", "));
  parts.rejected = RejectSelect(words, doubts, row, words.keys->Of("c"), "r", ReadCsv(batch, text));
  return parts;
}

Parts LineParts(const Words& words, const StagedBatch& batch) {
  std::vector<std::string> paths;
  std::vector<std::string> items;
  std::vector<Doubt> doubts;
  doubts.push_back(Doubt{nullptr, "NOT ok", "NULL"});
  for (const Field& field : words.schema->fields) {
    const std::string path = "$" + JsonPathStep(field.name);
    const std::string name = QuoteIdentifier(field.name);
    if (field.type.nested()) {
      const std::string value = fmt::format("json_extract(g, {})", QuoteLiteral(path));
      const std::string misfits = "(" + Joined(JsonMisfits("g", path, field.type), " OR ") + ")";
      // One leaf that does not fit: none of the value is taken.
      items.push_back(words.misfit == Misfit::kReject
                          ? fmt::format("TRY_CAST({} AS {}) AS {}", value, field.type.ToSql(), name)
                          : fmt::format("CASE WHEN NOT coalesce({}, false) THEN TRY_CAST({} AS {}) END AS {}", misfits, value, field.type.ToSql(), name));
      doubts.push_back(Doubt{&field, misfits, value + "::VARCHAR"});
      continue;
    }
    paths.push_back(QuoteLiteral(path));
    const std::string text = fmt::format("x[{}]", paths.size());
    const std::string cast = ExactCast(text, field.type);
    items.push_back(cast + " AS " + name);
    if (field.type.kind == TypeKind::kVarchar || field.type.kind == TypeKind::kBlob) continue;
    doubts.push_back(Doubt{&field, fmt::format("({} IS NOT NULL AND ({}) IS NULL)", text, cast), text});
  }
  const std::string list = paths.empty() ? "NULL::VARCHAR[]" : fmt::format("json_extract_string(g, [{}])", Joined(paths, ", "));
  // g is NULL for what is no JSON, so that nothing below sees it.
  const std::string from =
      fmt::format("(SELECT c, r, j, ok, g, {} AS x FROM (SELECT c, r, j, json_valid(j) AS ok, CASE WHEN json_valid(j) THEN j "
                  "END AS g FROM {}))", list, ReadLines(batch));
  const std::vector<Doubt> nulls = TakeNulls(words, doubts);
  Parts parts{fmt::format("SELECT {}, {} AS _source_file, r AS _source_row FROM {}{}", Joined(items, ", "),
                          words.keys->Of("c"), from, NoneOf(doubts)),
              RejectSelect(words, doubts, "j", words.keys->Of("c"), "r", from)};
  if (!nulls.empty()) parts.misfits = MisfitSelect(nulls, words.keys->Of("c"), "r", from);
  return parts;
}

Parts ParquetParts(const Words& words, const StagedBatch& batch) {
  std::vector<std::string> nulls;
  std::vector<std::string> items;
  std::vector<Doubt> doubts;
  for (const Field& field : words.schema->fields) {
    const std::string name = QuoteIdentifier(field.name);
    const std::string within = TypesWithin(field.type);
    nulls.push_back("NULL AS " + name);
    const std::string exact = field.type.nested() || field.type.kind == TypeKind::kBlob
                                  ? fmt::format("TRY_CAST({} AS {})", name, field.type.ToSql())
                                  : ExactCast(name + "::VARCHAR", field.type);
    if (field.type.kind == TypeKind::kVarchar) {
      // Bytes are a text if they are UTF-8. The casts are for columns of other types, of which none is decoded.
      const std::string decoded = fmt::format("try(decode({}::VARCHAR::BLOB))", name);
      items.push_back(fmt::format("CASE WHEN typeof({0}) = 'BLOB' THEN {1} ELSE {0}::VARCHAR END AS {0}", name, decoded));
      doubts.push_back(Doubt{&field, fmt::format("(typeof({0}) = 'BLOB' AND {0} IS NOT NULL AND {1} IS NULL)", name, decoded), name + "::VARCHAR"});
      continue;
    }
    const std::string cast = fmt::format("CASE WHEN typeof({0}) IN ({1}) THEN {0}::{2} ELSE {3} END", name, within,
                                         field.type.ToSql(), exact);
    items.push_back(cast + " AS " + name);
    // The first half is known before the scan: nothing is read where every type fits.
    doubts.push_back(Doubt{&field, fmt::format("(typeof({0}) NOT IN ({1}) AND {0} IS NOT NULL AND ({2}) IS NULL)", name,
                                               within, exact),
                           name + "::VARCHAR"});
  }
  // A column that the file lacks is NULL, one that the table lacks is dropped.
  std::string folders;
  for (const PartitionValue& one : batch.partition_values) {
    folders += fmt::format(", {}::VARCHAR AS {}", one.value ? QuoteLiteral(*one.value) : "NULL", QuoteIdentifier(one.column));
  }
  const std::string from =
      fmt::format("(SELECT {} WHERE false UNION ALL BY NAME SELECT {}{} FROM read_parquet({}, file_row_number=true, hive_partitioning=false))",
                  Joined(nulls, ", "), ColumnsBeside(batch.partition_values), folders, QuoteLiteral(batch.path));
  const std::string key = words.keys->Of(batch.first_chunk);
  // The rows of a database carry their number: they were written in any order.
  const std::string line = batch.numbered ? "_source_row" : "file_row_number + 1";
  const std::vector<Doubt> left_out = TakeNulls(words, doubts);
  std::string misfit;
  for (const Doubt& doubt : doubts) misfit += (misfit.empty() ? "" : " OR ") + doubt.misfit;
  Parts parts;
  parts.typed = fmt::format("SELECT {}, {} AS _source_file, {} AS _source_row FROM {}{}",
                            Joined(items, ", "), key, line, from, NoneOf(doubts));
  if (!left_out.empty()) parts.misfits = MisfitSelect(left_out, key, line, from);
  if (doubts.empty()) return parts;
  std::vector<std::string> columns;
  for (const Field& field : words.schema->fields) columns.push_back(QuoteIdentifier(field.name));
  const std::string row = fmt::format("to_json(struct_pack({}))::VARCHAR", Joined([&] {
    std::vector<std::string> members;
    for (const std::string& column : columns) members.push_back(column + " := " + column);
    return members;
  }(), ", "));
  parts.rejected = RejectSelect(words, doubts, row, key, line,
                                fmt::format("(SELECT * FROM {} WHERE {})", from, misfit));
  return parts;
}

std::string SplitRejects(const Words& words, const std::string& path) {
  return fmt::format(
      "SELECT reason AS _reason, NULL::VARCHAR AS _column, NULL::VARCHAR AS _value, text AS _row, {} AS _source_file, "
      "\"row\" AS _source_row, {} AS _task, {} AS _rejected_at FROM read_json({}, format='newline_delimited', "
      "maximum_object_size={}, columns={{'chunk': 'BIGINT', 'row': 'BIGINT', 'reason': 'VARCHAR', 'text': 'VARCHAR'}})",
      words.keys->Of("chunk"), words.task, words.now, QuoteLiteral(path), std::int64_t{16} << 20);
}

Step View(const char* name, const std::vector<std::string>& selects) {
  return Step::Run(name, fmt::format("CREATE TEMP VIEW {} AS {}", name, Joined(selects, "\nUNION ALL\n")));
}

}  // namespace

void AddTypedRows(ComputeJob& job, const StagedRead& read, const std::vector<std::string>& raw_keys,
                  const Schema& schema, Misfit misfit, const std::string& run_task, Timestamp now) {
  const Keys keys(raw_keys);
  const Words words{&schema, &keys, misfit, QuoteLiteral(run_task), fmt::format("TIMESTAMPTZ '{}'", FormatTimestamp(now))};
  std::vector<std::string> typed;
  std::vector<std::string> rejected;
  std::vector<std::string> misfits;
  for (const StagedBatch& batch : read.batches) {
    if (batch.kind != "parquet" && batch.rows == 0) continue;
    Parts parts = batch.kind == "csv"      ? CsvParts(words, batch)
                  : batch.kind == "ndjson" ? LineParts(words, batch)
                                           : ParquetParts(words, batch);
    typed.push_back(std::move(parts.typed));
    if (!parts.rejected.empty()) rejected.push_back(std::move(parts.rejected));
    if (!parts.misfits.empty()) misfits.push_back(std::move(parts.misfits));
    job.read_paths.push_back(batch.path);
  }
  if (typed.empty()) {
    std::vector<std::string> nulls;
    for (const Field& field : schema.fields) {
      nulls.push_back(fmt::format("NULL::{} AS {}", field.type.ToSql(), QuoteIdentifier(field.name)));
    }
    typed.push_back(fmt::format("SELECT {}, NULL::VARCHAR AS _source_file, NULL::BIGINT AS _source_row WHERE false",
                                Joined(nulls, ", ")));
  }
  if (!read.rejects_path.empty()) {
    rejected.push_back(SplitRejects(words, read.rejects_path));
    job.read_paths.push_back(read.rejects_path);
  }
  if (rejected.empty()) {
    rejected.push_back(
        "SELECT NULL::VARCHAR AS _reason, NULL::VARCHAR AS _column, NULL::VARCHAR AS _value, NULL::VARCHAR AS _row, "
        "NULL::VARCHAR AS _source_file, NULL::BIGINT AS _source_row, NULL::VARCHAR AS _task, "
        "NULL::TIMESTAMPTZ AS _rejected_at WHERE false");
  }
  if (misfits.empty()) {
    misfits.push_back("SELECT NULL::VARCHAR AS _column, NULL::VARCHAR AS _value, NULL::VARCHAR AS _source_file, NULL::BIGINT AS _source_row "
                      "WHERE false");
  }
  job.steps.push_back(View("misfits", misfits));
  job.steps.push_back(View("typed", typed));
  job.steps.push_back(View("rejected", rejected));
}

}  // namespace caudal
