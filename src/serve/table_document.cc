#include "serve/table_document.h"

#include <algorithm>

#include "base/json.h"
#include "flow/drift.h"

namespace caudal {
namespace {

const std::vector<ColumnConfig>& ConfiguredColumns(const Project& project, const Node& node) {
  return node.kind == Node::Kind::kStream ? project.stream(node).columns : project.model(node).columns;
}

}  // namespace

std::string_view KindOfNode(const Project& project, const Node& node) {
  if (node.kind == Node::Kind::kStream) return "stream";
  switch (project.model(node).materialize) {
    case Materialize::kTable: return "table";
    case Materialize::kView: return "view";
    case Materialize::kAppend: return "append";
    case Materialize::kMerge: return "merge";
    case Materialize::kPartitions: return "partitions";
    case Materialize::kSnapshot: return "snapshot";
  }
  return "";
}

std::int64_t PartitionCount(const Snapshot& snapshot) {
  std::vector<std::map<std::string, Cell>> seen;
  for (const LiveFile& file : snapshot.files) seen.push_back(file.partition);
  std::sort(seen.begin(), seen.end());
  return std::unique(seen.begin(), seen.end()) - seen.begin();
}

std::optional<TableFacts> FactsOf(const Snapshot* snapshot) {
  if (snapshot == nullptr) return std::nullopt;
  return TableFacts{snapshot->version, snapshot->time, snapshot->rows(), snapshot->size_bytes(), static_cast<std::int64_t>(snapshot->files.size()),
                    snapshot->partition_columns.empty() ? 0 : PartitionCount(*snapshot)};
}

std::string OwnerOf(const Project& project, const Node& node) {
  const std::string& owner = node.kind == Node::Kind::kStream ? project.source(node).owner : project.model(node).owner;
  return owner.empty() ? project.owner : owner;
}

const std::string& DescriptionOf(const Project& project, const Node& node) {
  return node.kind == Node::Kind::kStream ? project.stream(node).description : project.model(node).description;
}

Schema SchemaOf(const Project& project, const Node& node, const Snapshot* snapshot) {
  if (snapshot != nullptr) return snapshot->schema;
  Schema schema;
  if (node.kind == Node::Kind::kModel) {
    for (const OutputColumn& column : project.model(node).analysis.columns) schema.fields.push_back(column.field);
  }
  return schema;
}

std::string DescriptionOf(const Project& project, const Node& node, const std::string& column) {
  for (const ColumnConfig& config : ConfiguredColumns(project, node)) {
    if (config.name == column) return config.description;
  }
  return "";
}

Json TableDocument(const Project& project, const Node& node, const std::optional<TableFacts>& facts,
                   const std::vector<CheckRecord>& verdicts) {
  Json document{{"table", node.table}, {"kind", KindOfNode(project, node)}, {"path", node.path},
                {"published", facts.has_value()}, {"checks", Json::array()}};
  for (const CheckRecord& check : verdicts) {
    document["checks"].push_back({{"check", check.check},
                                  {"verdict", check.verdict},
                                  {"failing_rows", check.failing_rows},
                                  {"observed", check.observed},
                                  {"message", check.message},
                                  {"run", check.run},
                                  {"at", FormatTimestampMs(check.at)}});
  }
  if (!facts) return document;
  document["version"] = facts->version;
  document["updated"] = FormatTimestampMs(facts->updated);
  document["rows"] = facts->rows;
  document["bytes"] = facts->bytes;
  document["files"] = facts->files;
  document["partitions"] = facts->partitions;
  return document;
}

Json CommitDocument(const CommitRecord& commit) {
  Json document{{"version", commit.version},
                {"time", FormatTimestampMs(commit.time)},
                {"operation", commit.operation},
                {"change", ChangeKindName(commit.change)},
                {"task", commit.task},
                {"files_added", commit.files_added},
                {"files_removed", commit.files_removed},
                {"rows_added", commit.rows_added},
                {"rows_removed", commit.rows_removed},
                {"partitions", Json::array()},
                {"raw", Json::array()},
                {"counts", nullptr}};
  for (const auto& partition : commit.partitions) {
    Json values = Json::object();
    for (const auto& [column, value] : partition) values[column] = value ? Json(*value) : Json(nullptr);
    document["partitions"].push_back(values);
  }
  for (const RawObject& raw : commit.raw) {
    document["raw"].push_back({{"key", raw.key}, {"origin", raw.origin}, {"rows", raw.rows}, {"bytes", raw.size_bytes}, {"sha256", raw.sha256}});
  }
  if (commit.counts) {
    document["counts"] = {{"read", commit.counts->read},
                          {"written", commit.counts->written},
                          {"rejected", commit.counts->rejected},
                          {"deduplicated", commit.counts->deduplicated},
                          {"discarded_values", commit.counts->discarded_values}};
  }
  document["drift"] = DriftToJson(DriftOfNote(commit.note));
  return document;
}

Json VerdictDocument(const CheckRecord& check) {
  return {{"time", FormatTimestampMs(check.at)}, {"check", check.check},       {"verdict", check.verdict}, {"failing_rows", check.failing_rows},
          {"observed", check.observed},          {"message", check.message}, {"run", check.run}};
}

}  // namespace caudal
