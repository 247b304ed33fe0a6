#include <utility>

#include "store/object_store.h"

namespace caudal {
namespace {

class FaultyStore final : public ObjectStore {
 public:
  using Fault = std::function<Status(std::string_view, std::string_view)>;
  FaultyStore(ObjectStore& under, Fault fault) : x_under(under), x_fault(std::move(fault)) {}

  Result<std::string> Get(std::string_view key) const override {
    TRY(x_fault("get", key));
    return x_under.Get(key);
  }
  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    TRY(x_fault("get_range", key));
    return x_under.GetRange(key, offset, length);
  }
  Result<ObjectInfo> Head(std::string_view key) const override {
    TRY(x_fault("head", key));
    return x_under.Head(key);
  }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override {
    TRY(x_fault("list", prefix));
    return x_under.List(prefix, after);
  }
  Status Put(std::string_view key, std::string_view bytes) override {
    TRY(x_fault("put", key));
    TRY(x_under.Put(key, bytes));
    return x_fault("put:after", key);
  }
  Status PutIfAbsent(std::string_view key, std::string_view bytes) override {
    TRY(x_fault("put_if_absent", key));
    TRY(x_under.PutIfAbsent(key, bytes));
    return x_fault("put_if_absent:after", key);
  }
  Status PutFileIfAbsent(std::string_view key, const std::string& local_path) override {
    TRY(x_fault("put_file_if_absent", key));
    TRY(x_under.PutFileIfAbsent(key, local_path));
    return x_fault("put_file_if_absent:after", key);
  }
  Status CopyIfAbsent(std::string_view key, std::string_view from) override {
    TRY(x_fault("copy_if_absent", key));
    TRY(x_under.CopyIfAbsent(key, from));
    return x_fault("copy_if_absent:after", key);
  }
  Status Delete(std::string_view key) override {
    TRY(x_fault("delete", key));
    TRY(x_under.Delete(key));
    return x_fault("delete:after", key);
  }
  Result<std::string> ReadLocation(std::string_view key) const override {
    TRY(x_fault("read_location", key));
    return x_under.ReadLocation(key);
  }
  std::string Url() const override { return x_under.Url(); }
  Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) override {
    TRY(x_fault("lock", key));
    return x_under.Lock(key, wait);
  }
  bool locks_expire() const override { return x_under.locks_expire(); }

 private:
  ObjectStore& x_under;
  Fault x_fault;
};

}  // namespace

std::unique_ptr<ObjectStore> MakeFaultyStore(ObjectStore& under,
                                             std::function<Status(std::string_view, std::string_view)> fault) {
  return std::make_unique<FaultyStore>(under, std::move(fault));
}

}  // namespace caudal
