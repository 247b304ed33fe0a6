#include "lake/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "lake/log_names.h"

namespace caudal {
namespace {

constexpr std::size_t kLongestName = 64;

Result<Json> DomainOf(const Snapshot& snapshot, const std::string& domain) {
  auto it = snapshot.domains.find(domain);
  if (it == snapshot.domains.end()) return Json::object();
  return ParseJson(it->second, "domain caudal." + domain);
}

std::int64_t NumberIn(const Snapshot& snapshot, const char* member) {
  auto purge = DomainOf(snapshot, std::string(kPurgeDomain));
  return purge ? JsonInt(*purge, member, 0) : 0;
}

std::string PurgeJson(std::int64_t horizon, std::int64_t from) { return DumpJson(Json{{"horizon", horizon}, {"from", from}}); }

bool IsName(std::string_view name) {  // "main" is the name of Iceberg's only branch
  return !name.empty() && name != "main" && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  }) && (name[0] < '0' || name[0] > '9');
}

Change ChangeOf(const Snapshot& newest, std::string operation) {
  Change change;
  change.operation = std::move(operation);
  change.base_version = newest.version;
  return change;
}

}  // namespace

Result<std::vector<Savepoint>> SavepointsOf(const Snapshot& newest) {
  std::vector<Savepoint> savepoints;
  for (const auto& [domain, text] : newest.domains) {
    if (!domain.starts_with(kSavepointDomain)) continue;
    TRY_ASSIGN(const Json json, ParseJson(text, "domain caudal." + domain));
    savepoints.push_back({domain.substr(kSavepointDomain.size()), JsonInt(json, "version", 0), JsonString(json, "comment", "")});
  }
  return savepoints;
}

std::int64_t HorizonOf(const Snapshot& newest) { return NumberIn(newest, "horizon"); }
std::int64_t PurgedFrom(const Snapshot& newest) { return NumberIn(newest, "from"); }

Result<std::int64_t> OldestKept(const Snapshot& newest) {
  std::int64_t oldest = HorizonOf(newest);
  TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
  for (const Savepoint& savepoint : savepoints) oldest = std::min(oldest, savepoint.version);
  return oldest;
}

Result<bool> IsKept(const Snapshot& newest, std::int64_t version) {
  if (version >= HorizonOf(newest)) return true;
  TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
  return std::any_of(savepoints.begin(), savepoints.end(), [&](const Savepoint& s) { return s.version == version; });
}

Result<std::vector<std::int64_t>> KeptVersions(const Snapshot& newest) {
  const std::int64_t horizon = HorizonOf(newest);
  std::vector<std::int64_t> versions;
  TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
  for (const Savepoint& savepoint : savepoints) {
    if (savepoint.version < horizon) versions.push_back(savepoint.version);
  }
  std::sort(versions.begin(), versions.end());
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  for (std::int64_t version = horizon; version <= newest.version; ++version) versions.push_back(version);
  return versions;
}

Result<Change> AddSavepoint(const Snapshot& newest, const Savepoint& savepoint) {
  if (!IsName(savepoint.name)) {
    return Error{ErrorKind::kInvalidArgument, "'" + savepoint.name + "' is no name of a savepoint",
                 "use at most 64 letters, digits, '_', '-' and '.', begin with none of the digits, and leave out 'main'", ""};
  }
  const std::string domain = std::string(kSavepointDomain) + savepoint.name;
  if (newest.domains.contains(domain)) {
    return Error{ErrorKind::kInvalidArgument, newest.name + " has a savepoint '" + savepoint.name + "' already",
                 fmt::format("choose another name, or drop that one: caudal savepoint {} {} --drop", newest.name, savepoint.name), ""};
  }
  TRY_ASSIGN(const bool kept, IsKept(newest, savepoint.version));
  if (savepoint.version < 0 || savepoint.version > newest.version || !kept) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("{} has no version {} to save", newest.name, savepoint.version),
                 fmt::format("choose one from {} to {}", HorizonOf(newest), newest.version), ""};
  }
  Change change = ChangeOf(newest, "SAVEPOINT");
  change.domains[domain] = DumpJson(Json{{"version", savepoint.version}, {"comment", savepoint.comment}});
  return change;
}

Result<Change> DropSavepoint(const Snapshot& newest, const std::string& name) {
  const std::string domain = std::string(kSavepointDomain) + name;
  if (!newest.domains.contains(domain)) {
    TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
    std::string names;
    for (const Savepoint& savepoint : savepoints) names += (names.empty() ? "" : ", ") + savepoint.name;
    return Error{ErrorKind::kNotFound, newest.name + " has no savepoint '" + name + "'",
                 names.empty() ? "it has none" : "it has " + names, ""};
  }
  TRY_ASSIGN(const Json dropped, DomainOf(newest, domain));
  const std::int64_t version = JsonInt(dropped, "version", 0), horizon = HorizonOf(newest);
  Change change = ChangeOf(newest, "DROP SAVEPOINT");
  change.domains[domain] = std::nullopt;
  if (version < horizon) change.domains[std::string(kPurgeDomain)] = PurgeJson(horizon, std::min(PurgedFrom(newest), version));
  return change;
}

Result<Change> PurgeTo(const Snapshot& newest, std::int64_t horizon) {
  const std::int64_t before = HorizonOf(newest);
  if (horizon < before || horizon > newest.version) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("{} cannot be purged up to version {}", newest.name, horizon),
                 fmt::format("choose one from {} to {}", before, newest.version), ""};
  }
  Change change = ChangeOf(newest, "PURGE");
  change.domains[std::string(kPurgeDomain)] = PurgeJson(horizon, before);
  return change;
}

bool IsDataFile(std::string_view path) {
  return path.ends_with(".parquet") && path[0] != '.' && path.find("/.") == std::string_view::npos &&
         !path.starts_with("_delta_log/") && !path.starts_with("metadata/");
}

bool OutlivesRollback(std::string_view domain) {
  return domain == kRejectsDomain || domain == kPurgeDomain || domain.starts_with(kSavepointDomain);
}

}  // namespace caudal
