#include "lake/intent.h"

#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::string_view kIntentName = ".intent.json";

std::string TempPrefix(const std::string& prefix) { return prefix + "/.hoodie/.temp/"; }

std::string IntentKey(const std::string& prefix, const std::string& transaction) {
  return TempPrefix(prefix) + transaction + std::string(kIntentName);
}

Status DeleteAll(ObjectStore& store, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) TRY(store.Delete(key));
  return {};
}

struct Intent {
  std::string transaction;
  std::int64_t version = -1;
  std::vector<std::string> files;    // that the commit puts: they go where it did not happen
  std::vector<std::string> deletes;  // that it gives up: they go where it did
};

std::vector<std::string> KeysIn(const Json& json, const char* member) {
  std::vector<std::string> keys;
  const auto list = json.find(member);
  if (list == json.end() || !list->is_array()) return keys;
  for (const Json& key : *list) {
    if (key.is_string()) keys.push_back(key.get<std::string>());
  }
  return keys;
}

Result<Intent> ReadIntent(ObjectStore& store, const std::string& key) {
  TRY_ASSIGN(std::string text, store.Get(key));
  const std::string next = "move it away: it only names the files of a commit that was never finished";
  Result<Json> parsed = ParseJson(text, "the intent " + key);
  if (!parsed) return Error{ErrorKind::kCorruption, parsed.error().message, next, ""};
  const Json json = *std::move(parsed);
  Intent intent{JsonString(json, "txid", ""), JsonInt(json, "version", -1), {}, {}};
  auto files = json.find("files");
  if (intent.transaction.empty() || intent.version < 0 || files == json.end() || !files->is_array()) {
    return Error{ErrorKind::kCorruption, "not an intent of ours: " + key, next, ""};
  }
  intent.files = KeysIn(json, "files");
  intent.deletes = KeysIn(json, "deletes");
  return intent;
}

enum class Fate { kCommitted, kLost, kOpen };  // kOpen: nobody took its version

Result<Fate> FateOf(ObjectStore& store, const std::string& prefix, const Intent& intent) {
  auto text = store.Get(prefix + "/_delta_log/" + LogFileName(intent.version));
  if (!text && text.error().kind == ErrorKind::kNotFound) return Fate::kOpen;
  if (!text) return std::move(text).error();
  TRY_ASSIGN(LogEntry entry, ReadLogText(intent.version, *text));
  return entry.transaction == intent.transaction ? Fate::kCommitted : Fate::kLost;
}

}  // namespace

Status PutIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan) {
  Json files = Json::array();
  for (const Placement& placement : plan.files) files.push_back(placement.key);
  Json json{{"txid", plan.entry.transaction},
            {"version", plan.entry.version},
            {"instant", plan.entry.instant},
            {"files", std::move(files)},
            {"deletes", plan.deletes}};
  return store.PutIfAbsent(IntentKey(prefix, plan.entry.transaction), DumpJson(json));
}

void DropIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan) {
  (void)store.Delete(IntentKey(prefix, plan.entry.transaction));
}

void UndoIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan) {
  std::vector<std::string> keys;
  for (const Placement& placement : plan.files) keys.push_back(placement.key);
  keys.push_back(IntentKey(prefix, plan.entry.transaction));
  (void)DeleteAll(store, keys);
}

Result<std::size_t> HealIntents(ObjectStore& store, const std::string& prefix) {
  std::size_t stayed = 0;
  TRY_ASSIGN(auto objects, store.List(TempPrefix(prefix), ""));
  for (const ObjectInfo& object : objects) {
    if (!object.key.ends_with(kIntentName)) continue;
    auto read = ReadIntent(store, object.key);
    if (!read && read.error().kind == ErrorKind::kNotFound) continue;  // its own writer, or another healer, was quicker
    if (!read) return std::move(read).error();
    const Intent intent = *std::move(read);
    TRY_ASSIGN(Fate fate, FateOf(store, prefix, intent));
    if (fate == Fate::kOpen && store.locks_expire()) {
      ++stayed;
      continue;
    }
    TRY(DeleteAll(store, fate == Fate::kCommitted ? intent.deletes : intent.files));
    TRY(store.Delete(object.key));
  }
  return stayed;
}

}  // namespace caudal
