#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>

#include "store/object_key.h"
#include "store/object_store.h"

namespace caudal {
namespace {

Error Missing(std::string_view key) { return Error{ErrorKind::kNotFound, "no object " + std::string(key), "", ""}; }

class MemoryStore final : public ObjectStore {
 public:
  Result<std::string> Get(std::string_view key) const override {
    TRY(CheckKey(key));
    std::lock_guard lock(x_mutex);
    auto it = x_objects.find(key);
    if (it == x_objects.end()) return Missing(key);
    return it->second.bytes;
  }

  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    if (offset < 0 || length < 0) {
      return Error{ErrorKind::kInvalidArgument, "a range starts at 0 or later and has no negative length", "", ""};
    }
    TRY_ASSIGN(std::string bytes, Get(key));
    if (static_cast<std::size_t>(offset) >= bytes.size()) return std::string();
    return bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  }

  Result<ObjectInfo> Head(std::string_view key) const override {
    TRY(CheckKey(key));
    std::lock_guard lock(x_mutex);
    auto it = x_objects.find(key);
    if (it == x_objects.end()) return Missing(key);
    return InfoOf(*it);
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override {
    std::lock_guard lock(x_mutex);
    std::vector<ObjectInfo> found;
    auto it = after > prefix ? x_objects.upper_bound(after) : x_objects.lower_bound(prefix);
    for (; it != x_objects.end() && it->first.starts_with(prefix); ++it) {
      if (it->first > after) found.push_back(InfoOf(*it));
    }
    return found;
  }

  Status Put(std::string_view key, std::string_view bytes) override {
    TRY(CheckKey(key));
    std::lock_guard lock(x_mutex);
    x_objects.insert_or_assign(std::string(key), Object{std::string(bytes), SystemClock().Now()});
    return {};
  }

  Status PutIfAbsent(std::string_view key, std::string_view bytes) override {
    TRY(CheckKey(key));
    std::lock_guard lock(x_mutex);
    auto [it, created] = x_objects.try_emplace(std::string(key), Object{std::string(bytes), SystemClock().Now()});
    if (created) return {};
    return Error{ErrorKind::kAlreadyExists, "there is an object " + std::string(key), "", ""};
  }

  Status PutFileIfAbsent(std::string_view key, const std::string& local_path) override {
    std::ifstream file(local_path, std::ios::binary);
    if (!file) return Error{ErrorKind::kNotFound, "cannot read " + local_path, "", ""};
    return PutIfAbsent(key, std::string(std::istreambuf_iterator<char>(file), {}));
  }

  Status CopyIfAbsent(std::string_view key, std::string_view from) override {
    TRY_ASSIGN(std::string bytes, Get(from));
    return PutIfAbsent(key, bytes);
  }

  Status Delete(std::string_view key) override {
    TRY(CheckKey(key));
    std::lock_guard lock(x_mutex);
    auto it = x_objects.find(key);
    if (it != x_objects.end()) x_objects.erase(it);
    return {};
  }

  Result<std::string> ReadLocation(std::string_view) const override {
    return Error{ErrorKind::kUnsupported, "objects in memory have no place that another process reads", "", ""};
  }

  std::string Url() const override { return "memory://"; }

  Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) override {
    TRY(CheckKey(key));
    std::unique_lock lock(x_locks->mutex);
    std::string name(key);
    if (!x_locks->freed.wait_for(lock, wait, [&] { return !x_locks->held.contains(name); })) {
      return Error{ErrorKind::kConflict, "another thread holds the lock " + name, "", ""};
    }
    x_locks->held.insert(name);
    // The guard may outlive the store, so it owns the set of locks with it.
    return std::shared_ptr<void>(nullptr, [locks = x_locks, name](void*) {
      std::lock_guard guard(locks->mutex);
      locks->held.erase(name);
      locks->freed.notify_all();
    });
  }

 private:
  struct Object {
    std::string bytes;
    Timestamp modified;
  };
  struct Locks {
    std::mutex mutex;
    std::condition_variable freed;
    std::set<std::string> held;
  };

  static ObjectInfo InfoOf(const std::pair<const std::string, Object>& entry) {
    return ObjectInfo{entry.first, static_cast<std::int64_t>(entry.second.bytes.size()), entry.second.modified};
  }

  mutable std::mutex x_mutex;
  std::map<std::string, Object, std::less<>> x_objects;  // guarded by x_mutex
  const std::shared_ptr<Locks> x_locks = std::make_shared<Locks>();
};

}  // namespace

std::unique_ptr<ObjectStore> MakeMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace caudal
