#include "lake/rejects.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "lake/change_plan.h"
#include "lake/log_names.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

std::string UuidOf(const std::string& text) {
  std::string hex = Sha256Hex(text).substr(0, 32);
  for (std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
  return hex;
}

/// True where version `version` of the log below `prefix` is there.
Result<bool> HasVersion(ObjectStore& store, const std::string& prefix, std::int64_t version) {
  auto info = store.Head(prefix + "/_delta_log/" + LogFileName(version));
  if (info) return true;
  if (info.error().kind == ErrorKind::kNotFound) return false;
  return std::move(info).error();
}

}  // namespace

LogEntry RenderRejects(const LogEntry& source, const std::string& table_id, const std::string& name) {
  CHECK(source.rejects.has_value(), "only a commit with rejects becomes a version of the rejects table");
  LogEntry entry;
  entry.version = source.rejects->version;
  entry.time = source.time;
  entry.instant = source.instant;
  const bool removes = !source.rejects->removes.empty();
  entry.operation = removes ? source.operation : "REJECT";
  entry.hudi_operation = removes ? "INSERT_OVERWRITE" : "INSERT";
  entry.transaction = source.transaction;
  entry.kind = removes ? ChangeKind::kOverwrite : ChangeKind::kAppend;
  entry.blind = !removes;
  entry.removes = source.rejects->removes;
  entry.task = source.task;
  entry.source_version = source.version;
  if (entry.version == 0) {
    TableDefinition definition{name + "__rejects", RejectSchema(), {}, {}, {}};
    auto metadata = NextMetadata(nullptr, definition, true, UuidOf(table_id + "__rejects"), source.time);
    CHECK(metadata.has_value(), "the schema of rejects is valid");
    entry.creates = true;
    entry.metadata = std::move(*metadata);
  }
  for (LiveFile file : source.rejects->files) {
    file.added_version = entry.version;
    file.stats = std::make_shared<const std::string>(fmt::format("{{\"numRecords\":{}}}", file.rows));
    entry.adds.push_back(std::move(file));
  }
  return entry;
}

Status PublishRejects(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& snapshot) {
  auto domain = snapshot.domains.find(std::string(kRejectsDomain));
  if (domain == snapshot.domains.end()) return {};
  TRY_ASSIGN(Json last, ParseJson(domain->second, "domain caudal.rejects"));
  std::string target = RejectsPrefix(prefix);
  std::vector<std::shared_ptr<const LogEntry>> owed;
  std::int64_t version = JsonInt(last, "version", -1), source = JsonInt(last, "source", -1);
  while (source >= 0 && version >= 0) {
    TRY_ASSIGN(bool there, HasVersion(store, target, version));
    if (there) break;
    TRY_ASSIGN(auto entry, log.Entry(source));
    if (!entry->rejects || entry->rejects->version != version) {
      return Error{ErrorKind::kCorruption, fmt::format("version {} of {} has no rejects, but later ones count on them",
                                                       source, prefix), "", ""};
    }
    owed.push_back(entry);
    source = entry->rejects->previous_source;
    --version;
  }
  for (auto it = owed.rbegin(); it != owed.rend(); ++it) {
    LogEntry entry = RenderRejects(**it, snapshot.table_id, snapshot.name);
    auto put = store.PutIfAbsent(target + "/_delta_log/" + LogFileName(entry.version), LogText(entry));
    if (!put && put.error().kind != ErrorKind::kAlreadyExists) return put;
  }
  return {};
}

std::string PartitionMetadataText(const std::string& folder, Timestamp time) {
  auto depth = folder.empty() ? 0 : 1 + std::count(folder.begin(), folder.end(), '/');
  auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  return fmt::format("#partition metadata\n#{:%a %b %d %H:%M:%S} UTC {:%Y}\ncommitTime={}\npartitionDepth={}\n",
                     fmt::gmtime(seconds), fmt::gmtime(seconds), FormatInstant(time), depth);
}

}  // namespace caudal
