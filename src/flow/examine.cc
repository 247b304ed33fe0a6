// `doctor`: every version of every table against what lies in the lake.
#include <fmt/format.h>

#include <set>

#include "base/ids.h"
#include "flow/candidate.h"
#include "flow/extraction.h"
#include "flow/inspect.h"
#include "lake/retention.h"

namespace caudal {
namespace {

constexpr std::size_t kObjectsAtOnce = 64;
constexpr std::int64_t kBytesAtOnce = std::int64_t{256} << 20;

class Examination {
 public:
  Examination(const Workspace& workspace, Depth depth, const CancelFlag* cancel)
      : x_workspace(workspace), x_depth(depth), x_cancel(cancel) {}

  Result<LakeReport> Run() {
    for (const Node& node : x_workspace.project.nodes) {
      const Table table = x_workspace.TableOf(node.table);
      TRY(ExamineTable(table, node.table));
      TRY(ExamineTable(table.Rejects(), node.table + "__rejects"));
      TRY(ExamineRaw(node, table));
    }
    return std::move(x_report);
  }

 private:
  void Find(const std::string& table, std::string what, std::string next) {
    x_report.findings.push_back({table, std::move(what), std::move(next)});
  }

  Status Stopped() const {
    if (x_cancel == nullptr || !x_cancel->load()) return {};
    return Error{ErrorKind::kCancelled, "the examination was stopped", "run `caudal doctor` again", ""};
  }

  /// Files of a table that no version names are leftovers: a killed writer's, removed by the next one.
  Status ExamineTable(const Table& table, const std::string& name) {
    TRY_ASSIGN(auto latest, LatestOrNone(table));
    if (!latest) return {};
    TRY_ASSIGN(auto objects, x_workspace.store.List(table.prefix() + "/", ""));
    std::map<std::string, std::int64_t> present;
    for (const ObjectInfo& object : objects) present[object.key] = object.size_bytes;
    std::set<std::string> named;
    TRY_ASSIGN(const auto versions, KeptVersions(*latest));
    for (const std::int64_t version : versions) {
      auto snapshot = table.At(version);
      if (!snapshot) {
        Find(name, "version " + std::to_string(version) + ": " + snapshot.error().message, "restore the log file from a copy");
        continue;
      }
      for (const LiveFile& file : (*snapshot)->files) {
        const std::string key = table.KeyOf(file);
        if (!named.insert(key).second) continue;
        ++x_report.data_files;
        const auto it = present.find(key);
        if (it == present.end()) {
          Find(name, "data file " + key + " of version " + std::to_string(version) + " is missing", Remedy(name));
        } else if (it->second != file.size_bytes) {
          Find(name, "data file " + key + " has " + std::to_string(it->second) + " bytes, the log says " + std::to_string(file.size_bytes),
               Remedy(name));
        } else if (x_depth == Depth::kBytes) {
          TRY(Stopped());
          TRY(ExamineBytes(name, **snapshot, file, key));
        }
      }
    }
    TRY(ExamineFormats(table, name));
    std::int64_t orphans = 0;
    for (const auto& [key, size] : present) {
      if (IsDataFile(std::string_view(key).substr(table.prefix().size() + 1)) && !named.contains(key)) ++orphans;
    }
    if (orphans > 0) {
      Find(name, std::to_string(orphans) + " data files are named by no version",
           "the next run removes what a killed writer left; `caudal purge --orphans` the rest");
    }
    return {};
  }

  Status ExamineFormats(const Table& table, const std::string& name) {
    const std::string next = "`caudal doctor --repair` makes them of the log again";
    TRY_ASSIGN(const std::string behind, table.FormatsBehind());
    if (!behind.empty()) Find(name, behind, next);
    if (!behind.empty() || x_depth == Depth::kSizes) return {};
    auto differences = table.CheckFormats();
    if (!differences) {
      Find(name, differences.error().message, differences.error().next);
      return {};
    }
    for (const std::string& difference : *differences) Find(name, table.prefix() + "/" + difference, next);
    return {};
  }

  std::string Remedy(const std::string& name) const {
    const Node* node = x_workspace.project.Find(name);
    if (node == nullptr) return "restore it from a copy";
    if (node->kind == Node::Kind::kStream) return "restore it from a copy, or rebuild: caudal backfill " + name + " --from-raw";
    return "restore it from a copy, or rebuild: caudal run -s " + name + " --full-refresh";
  }

  Status ExamineBytes(const std::string& name, const Snapshot& snapshot, const LiveFile& file, const std::string& key) {
    if (file.sha256.empty()) return Decode(name, snapshot, file, key);
    const Result<std::string> digest = x_workspace.DigestOf(key);
    if (!digest) {
      Find(name, "data file " + key + ": " + digest.error().message, digest.error().next);
    } else if (*digest != file.sha256) {
      Find(name, "data file " + key + " is not the one that was committed (SHA-256 differs)", Remedy(name));
    }
    return {};
  }

  /// Every page of a file whose digest nobody noted, its rows and its statistics.
  Status Decode(const std::string& name, const Snapshot& snapshot, const LiveFile& file, const std::string& key) {
    auto stats = StatsOf(snapshot, file);
    if (!stats) return std::move(stats).error();
    std::string misfits;
    for (const Field& field : snapshot.schema.fields) {
      const auto it = stats->find(field.name);
      if (field.type.nested() || it == stats->end()) continue;
      const std::string column = QuoteIdentifier(field.name);
      const auto add = [&](const std::string& condition) { misfits += (misfits.empty() ? "" : " OR ") + condition; };
      if (it->second.min) add(fmt::format("min({}) < CAST({} AS {})", column, QuoteLiteral(*it->second.min), field.type.ToSql()));
      if (it->second.max) add(fmt::format("max({}) > CAST({} AS {})", column, QuoteLiteral(*it->second.max), field.type.ToSql()));
      if (it->second.null_count) add(fmt::format("count(*) - count({}) <> {}", column, *it->second.null_count));
    }
    ComputeJob job;
    job.inputs.push_back({"caudal_candidate", "examined", snapshot.schema, {x_workspace.lake_root + "/" + key}, false});
    job.steps.push_back(Step::Query("facts", fmt::format("SELECT count(*), coalesce({}, false), bit_xor(hash(t)) FROM caudal_candidate.examined AS t",
                                                         misfits.empty() ? "false" : misfits), 1));
    RunOptions options;
    options.limits = x_workspace.Limits();
    options.cancel = x_cancel;
    JobCost cost;
    const auto result = RunCompute(x_workspace.engine, std::move(job), options, &cost);
    if (!result && result.error().kind == ErrorKind::kCancelled) return result.error();
    if (!result) {
      Find(name, "data file " + key + " cannot be read: " + result.error().message, Remedy(name));
      return {};
    }
    const std::vector<Cell>& facts = result->Find("facts")->rows.rows.at(0);
    if (facts[0].value_or("") != std::to_string(file.rows)) {
      Find(name, fmt::format("data file {} has {} rows, the log says {}", key, facts[0].value_or("no"), file.rows), Remedy(name));
    } else if (facts[1].value_or("") == "true") {
      Find(name, "data file " + key + " holds other values than the log's statistics say", Remedy(name));
    }
    return {};
  }

  Status ExamineRaw(const Node& node, const Table& table) {
    TRY_ASSIGN(auto latest, LatestOrNone(table));
    if (!latest) return {};
    TRY_ASSIGN(auto history, table.History(-1, latest->version));
    std::vector<RawObject> waiting;
    std::int64_t bytes = 0;
    std::set<std::string> seen;
    for (const CommitRecord& commit : history) {
      for (const RawObject& raw : commit.raw) {
        if (!seen.insert(raw.key).second) continue;
        ++x_report.raw_objects;
        const auto head = x_workspace.store.Head(raw.key);
        if (!head && head.error().kind != ErrorKind::kNotFound) return head.error();
        if (!head) {
          Find(node.table, "raw object " + raw.key + " is missing", "restore it from a copy: a rebuild from raw would lack its rows");
          continue;
        }
        if (x_depth == Depth::kSizes) continue;
        waiting.push_back(raw);
        bytes += raw.size_bytes;
        if (waiting.size() < kObjectsAtOnce && bytes < kBytesAtOnce) continue;
        TRY(Replayed(node, waiting));
        waiting.clear();
        bytes = 0;
      }
    }
    return waiting.empty() ? Status() : Replayed(node, waiting);
  }

  /// A worker takes the objects apart as a rebuild would, digests included; where that fails, each by itself.
  Status Replayed(const Node& node, const std::vector<RawObject>& objects) {
    TRY(Stopped());
    TRY_ASSIGN(Staging staging, Staging::Make(x_workspace, "doctor-" + NewToken()));
    TaskContext context;
    context.cancel = x_cancel;
    JobCost cost;
    const auto replayed = Replay(x_workspace, node, context, objects, staging, cost);
    if (replayed) return {};
    if (replayed.error().kind == ErrorKind::kCancelled) return replayed.error();
    if (objects.size() > 1) {
      for (const RawObject& object : objects) TRY(Replayed(node, {object}));
      return {};
    }
    std::string what = replayed.error().message;
    if (what.find(objects[0].key) == std::string::npos) what = "raw object " + objects[0].key + ": " + what;
    Find(node.table, std::move(what), "restore it from a copy: a rebuild from raw would fail");
    return {};
  }

  const Workspace& x_workspace;
  const Depth x_depth;
  const CancelFlag* x_cancel;
  LakeReport x_report;
};

}  // namespace

Result<LakeReport> ExamineLake(const Workspace& workspace, Depth depth, const CancelFlag* cancel) {
  return Examination(workspace, depth, cancel).Run();
}

}  // namespace caudal
