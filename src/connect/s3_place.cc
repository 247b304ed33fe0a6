#include "connect/s3_place.h"

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "connect/dialect.h"
#include "store/s3.h"

namespace caudal {
namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;

PlaceFile Described(const ObjectInfo& info) {
  return PlaceFile{info.key, info.size_bytes, info.modified.time_since_epoch().count()};
}

/// A name is hidden where a part of it begins with a dot, as in a folder.
bool Hidden(std::string_view name) { return name.starts_with('.') || name.find("/.") != std::string_view::npos; }

class BucketPlace final : public FilePlace, public PlaceEditor {
 public:
  explicit BucketPlace(std::unique_ptr<S3Store> store) : x_store(std::move(store)) {}

  Result<std::vector<PlaceFile>> List(std::string_view glob) override {
    // Whatever the pattern says before its first wildcard need not be listed beside it.
    const std::string_view fixed = glob.substr(0, glob.find_first_of("*?"));
    TRY_ASSIGN(const std::vector<ObjectInfo> objects, x_store->List(fixed, ""));
    std::vector<PlaceFile> files;
    for (const ObjectInfo& info : objects) {
      if (info.key.ends_with('/') || (Hidden(info.key) && !Hidden(glob))) continue;  // "folder/" is a console's way to show one
      if (MatchesGlob(glob, info.key)) files.push_back(Described(info));
    }
    return files;
  }

  Result<PlaceFile> Stat(const std::string& name) override {
    TRY_ASSIGN(const ObjectInfo info, x_store->Head(name));
    return Described(info);
  }

  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override {
    for (std::int64_t at = from; at < file.size_bytes;) {
      TRY_ASSIGN(const std::string bytes, x_store->GetRange(file.name, at, std::min(kPieceBytes, file.size_bytes - at)));
      if (bytes.empty()) return Error{ErrorKind::kUnavailable, "an object changed while it was read: " + file.name, "run again once it is complete", ""};
      at += static_cast<std::int64_t>(bytes.size());
      TRY(take(bytes));
    }
    return {};
  }

  Result<std::string> Head(const std::string& name, std::size_t limit) override {
    TRY_ASSIGN(const ObjectInfo info, x_store->Head(name));
    if (info.size_bytes == 0) return std::string();  // no range of it can be asked for
    return x_store->GetRange(name, 0, std::min(info.size_bytes, static_cast<std::int64_t>(limit)));
  }

  PlaceEditor* editor() override { return this; }

  Status Rename(const std::string& name, const std::string& to) override {
    TRY(x_store->CopyIfAbsent(to, name));
    return x_store->Delete(name);
  }

  Status Remove(const std::string& name) override { return x_store->Delete(name); }

 private:
  const std::unique_ptr<S3Store> x_store;
};

}  // namespace

Result<std::unique_ptr<FilePlace>> OpenS3Place(const std::string& url, const Options& options, const std::string& ca_file) {
  // Names that AWS's tools use, so that the lake's S3 client reads them: the process's own environment is not looked at.
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    std::string value;
    if (name == "AWS_ENDPOINT_URL_S3") value = options.Text("endpoint", "");
    if (name == "AWS_REGION") value = options.Text("region", "");
    if (name == "AWS_CA_BUNDLE" && options.Has("ca_file")) value = ca_file;
    if (value.empty()) return std::nullopt;
    return value;
  };
  TRY_ASSIGN(S3Options made, S3OptionsOf(url, environment, SystemClock()));
  AwsKeys keys{options.Text("access_key_id", ""), options.Text("secret_access_key", ""), options.Text("session_token", ""), {}};
  if (keys.id.empty() || keys.secret.empty()) {
    return Error{ErrorKind::kPermission, "there are no keys for " + url,
                 "write access_key_id: ${NAME} and secret_access_key: ${NAME} into the source, or set what AWS's tools look at", ""};
  }
  made.credentials = MakeFixedCredentials(std::move(keys));
  made.tries = 4;
  TRY_ASSIGN(std::unique_ptr<S3Store> store, MakeS3Store(std::move(made)));
  TRY(store->CheckBucket());
  return std::unique_ptr<FilePlace>(std::make_unique<BucketPlace>(std::move(store)));
}

}  // namespace caudal
