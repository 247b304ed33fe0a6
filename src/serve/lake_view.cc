#include "serve/lake_view.h"

namespace caudal {
namespace {

/// How long what was read is good without another look: asking a folder is cheap, asking S3 for every table is not.
constexpr std::chrono::seconds kLocalFor{2};
constexpr std::chrono::seconds kRemoteFor{120};

}  // namespace

Result<std::optional<TableFacts>> LakeView::Facts(const Workspace& workspace, const std::string& table, std::optional<Timestamp> changed) {
  const std::string key = workspace.lake_root + " " + table;
  const Timestamp now = workspace.clock.Now();
  const std::chrono::microseconds good = workspace.lake_root.starts_with("s3://") ? kRemoteFor : kLocalFor;
  {
    const std::lock_guard lock(x_mutex);
    const auto it = x_kept.find(key);
    const bool known = it != x_kept.end() && now >= it->second.at && now - it->second.at < good;
    if (known && (!changed || *changed < it->second.at)) return it->second.facts;
  }
  Kept kept{std::nullopt, now};
  TRY(Look(workspace, table, [&](const Table&, const Snapshot* snapshot) {
    kept.facts = FactsOf(snapshot);
    return Status();
  }));
  const std::lock_guard lock(x_mutex);
  x_kept[key] = kept;
  return kept.facts;
}

Status LakeView::Look(const Workspace& workspace, const std::string& table, const std::function<Status(const Table&, const Snapshot*)>& look) {
  const std::lock_guard lock(x_reading);
  const Table opened = table.ends_with("__rejects") ? workspace.TableOf(table.substr(0, table.size() - 9)).Rejects() : workspace.TableOf(table);
  TRY_ASSIGN(const auto snapshot, LatestOrNone(opened));
  return look(opened, snapshot.get());
}

}  // namespace caudal
