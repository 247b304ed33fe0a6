// `doctor`: every version of every table against what lies in the lake.
#include <set>

#include "flow/inspect.h"

namespace caudal {
namespace {

/// Files of a table that no version names are leftovers: a killed writer's, removed by the next one.
Status ExamineTable(const Workspace& workspace, const Table& table, const std::string& name, std::vector<Finding>& findings) {
  TRY_ASSIGN(auto latest, LatestOrNone(table));
  if (!latest) return {};
  TRY_ASSIGN(auto objects, workspace.store.List(table.prefix() + "/", ""));
  std::map<std::string, std::int64_t> present;
  for (const ObjectInfo& object : objects) present[object.key] = object.size_bytes;
  std::set<std::string> named;
  for (std::int64_t version = 0; version <= latest->version; ++version) {
    auto snapshot = table.At(version);
    if (!snapshot) {
      findings.push_back({name, "version " + std::to_string(version) + ": " + snapshot.error().message,
                          "restore the log file from a copy"});
      continue;
    }
    for (const LiveFile& file : (*snapshot)->files) {
      std::string key = table.KeyOf(file);
      if (!named.insert(key).second) continue;
      auto it = present.find(key);
      if (it == present.end()) {
        findings.push_back({name, "data file " + key + " of version " + std::to_string(version) + " is missing",
                            "restore it from a copy, or rebuild: caudal backfill " + name + " --from-raw"});
      } else if (it->second != file.size_bytes) {
        findings.push_back({name, "data file " + key + " has " + std::to_string(it->second) + " bytes, the log says " +
                                      std::to_string(file.size_bytes),
                            "restore it from a copy"});
      }
    }
  }
  auto differences = table.CheckFormats();
  if (!differences) findings.push_back({name, differences.error().message, differences.error().next});
  for (const std::string& difference : differences ? *differences : std::vector<std::string>{}) {
    findings.push_back({name, table.prefix() + "/" + difference, "it is made of the log: caudal run --select " + name + " writes it again"});
  }
  std::int64_t orphans = 0;
  for (const auto& [key, size] : present) {
    bool data = key.ends_with(".parquet") && key.find("/.") == std::string::npos && key.find("/_delta_log/") == std::string::npos;
    if (data && !named.contains(key)) ++orphans;
  }
  if (orphans > 0) {
    findings.push_back({name, std::to_string(orphans) + " data files are named by no version",
                        "the next run removes what a killed writer left"});
  }
  return {};
}

}  // namespace

Result<std::vector<Finding>> ExamineLake(const Workspace& workspace) {
  std::vector<Finding> findings;
  for (const Node& node : workspace.project.nodes) {
    Table table = workspace.TableOf(node.table);
    TRY(ExamineTable(workspace, table, node.table, findings));
    TRY(ExamineTable(workspace, table.Rejects(), node.table + "__rejects", findings));
    TRY_ASSIGN(auto latest, LatestOrNone(table));
    if (!latest) continue;
    TRY_ASSIGN(auto history, table.History(-1, latest->version));
    for (const CommitRecord& commit : history) {
      for (const RawObject& raw : commit.raw) {
        auto head = workspace.store.Head(raw.key);
        if (!head) findings.push_back({node.table, "raw object " + raw.key + " is missing", "a rebuild from raw would lack its rows"});
      }
    }
  }
  return findings;
}

}  // namespace caudal
