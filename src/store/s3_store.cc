#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/hmac.h"
#include "base/ids.h"
#include "store/object_key.h"
#include "store/posix_file.h"
#include "store/s3.h"
#include "store/s3_client.h"
#include "store/s3_lease.h"
#include "store/s3_upload.h"
#include "store/xml.h"

namespace caudal {
namespace {

constexpr std::int64_t kLeastPart = std::int64_t{5} << 20;
constexpr std::int64_t kCopyPart = std::int64_t{512} << 20;
constexpr std::int64_t kCopyThroughUs = std::int64_t{1} << 20;  // two requests instead of five

/// What `encoding-type=url` did to a key.
std::string Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded += BytesOfHex(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::int64_t NumberOf(const std::string& text) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

class Store final : public S3Store {
 public:
  explicit Store(S3Options options) : x_client(std::move(options)) {}

  Result<std::string> Get(std::string_view key) const override {
    TRY(CheckKey(key));
    S3Outcome got = x_client.Send({"GET", std::string(key), {}, {{"x-amz-checksum-mode", "ENABLED"}}});
    if (!Success(got)) return S3ErrorOf(got, Reading(key), x_client.options());
    TRY(Verify(got.reply, key));
    return std::move(got.reply.body);
  }

  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    TRY(CheckKey(key));
    if (offset < 0 || length < 0) {
      return Error{ErrorKind::kInvalidArgument,
                   fmt::format("a range of {} cannot start at {} and have {} bytes", key, offset, length), "", ""};
    }
    if (length == 0) {
      TRY_ASSIGN([[maybe_unused]] const ObjectInfo there, Head(key));
      return std::string();
    }
    const std::string range = fmt::format("bytes={}-{}", offset, offset + length - 1);
    S3Outcome got = x_client.Send({"GET", std::string(key), {}, {{"range", range}}});
    if (got.answered && got.reply.status == 416) return std::string();
    if (!Success(got)) return S3ErrorOf(got, Reading(key), x_client.options());
    std::string bytes = std::move(got.reply.body);
    if (got.reply.status == 200) {  // a server that knows no ranges
      if (offset >= static_cast<std::int64_t>(bytes.size())) return std::string();
      bytes = bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }
    return bytes;
  }

  Result<ObjectInfo> Head(std::string_view key) const override {
    TRY(CheckKey(key));
    const S3Outcome head = x_client.Send({"HEAD", std::string(key)});
    if (!Success(head)) return S3ErrorOf(head, Reading(key), x_client.options());
    ObjectInfo info{std::string(key), NumberOf(head.reply.Header("content-length")), {}};
    const std::time_t modified = curl_getdate(head.reply.Header("last-modified").c_str(), nullptr);
    if (modified > 0) info.modified = Timestamp(std::chrono::seconds(modified));
    return info;
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override {
    const std::string root = x_client.FullKey("");
    std::vector<ObjectInfo> found;
    S3Query query{{"prefix", x_client.FullKey(prefix)}};
    if (!after.empty()) query.emplace_back("start-after", x_client.FullKey(after));
    TRY(EachPage(query, x_client.FullKey(prefix), [&](const XmlNode& page) { return Collect(page, root, after, found); }));
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return found;
  }

  Result<std::vector<std::string>> Folders(std::string_view folder) const override {
    std::vector<std::string> names;
    const std::string below = x_client.FullKey(folder) + "/";
    TRY(EachPage({{"delimiter", "/"}, {"prefix", below}}, below, [&](const XmlNode& page) -> Status {
      const bool encoded = page.TextOf("EncodingType") == "url";
      for (const XmlNode& node : page.children) {
        if (node.name != "CommonPrefixes") continue;
        std::string prefix = node.TextOf("Prefix");
        if (encoded) prefix = Decoded(prefix);
        if (prefix.starts_with(below) && prefix.ends_with('/')) names.push_back(prefix.substr(below.size(), prefix.size() - below.size() - 1));
      }
      return {};
    }));
    return names;
  }

  Status Put(std::string_view key, std::string_view bytes) override {
    TRY(CheckKey(key));
    std::map<std::string, std::string> headers{{"x-amz-checksum-sha256", ToBase64(BytesOfHex(Sha256Hex(bytes)))}};
    const S3Outcome put = x_client.Send({"PUT", std::string(key), {}, std::move(headers), bytes});
    return Success(put) ? Status() : Status(S3ErrorOf(put, "cannot write the object " + std::string(key), x_client.options()));
  }

  Status PutIfAbsent(std::string_view key, std::string_view bytes) override {
    TRY(CheckKey(key));
    return CreateOnce(x_client, std::string(key), bytes, {});
  }

  Status RaceToCreate(std::string_view key, std::string_view bytes, const std::function<void()>& before_last_byte) override {
    TRY(CheckKey(key));
    return CreateOnce(x_client, std::string(key), bytes, before_last_byte);
  }

  Status PutFileIfAbsent(std::string_view key, const std::string& local_path) override {
    TRY(CheckKey(key));
    const Fd file(open(local_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return PosixError(errno, "open", local_path);
    struct stat info = {};
    if (fstat(file.get(), &info) != 0) return PosixError(errno, "look at", local_path);
    const auto read = [&](std::int64_t offset, std::int64_t length) { return ReadPart(file.get(), local_path, offset, length); };
    const std::int64_t part = std::max(x_client.options().part_bytes, kLeastPart);
    if (info.st_size > part) return CreateInParts(x_client, std::string(key), info.st_size, part, read);
    TRY_ASSIGN(const std::string bytes, read(0, info.st_size));
    return CreateOnce(x_client, std::string(key), bytes, {});
  }

  /// A copy in one request has no condition on most servers, so the bytes come through here, or go in parts.
  Status CopyIfAbsent(std::string_view key, std::string_view from) override {
    TRY(CheckKey(key));
    TRY_ASSIGN(const ObjectInfo source, Head(from));
    if (source.size_bytes > kCopyThroughUs) return CreateFromObject(x_client, std::string(key), std::string(from), source.size_bytes, kCopyPart);
    TRY_ASSIGN(const std::string bytes, Get(from));
    return CreateOnce(x_client, std::string(key), bytes, {});
  }

  Status Delete(std::string_view key) override {
    TRY(CheckKey(key));
    const S3Outcome gone = x_client.Send({"DELETE", std::string(key)});
    if (Success(gone) || (gone.answered && gone.reply.status == 404 && gone.code != "NoSuchBucket")) return {};
    return S3ErrorOf(gone, "cannot delete the object " + std::string(key), x_client.options());
  }

  Result<std::string> ReadLocation(std::string_view key) const override {
    TRY(CheckKey(key));
    return x_client.ReadUrl(key);
  }

  std::string Url() const override {
    const S3Options& options = x_client.options();
    return "s3://" + options.bucket + (options.prefix.empty() ? "" : "/" + options.prefix);
  }

  Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) override {
    TRY(CheckKey(key));
    return AcquireLease(x_client, std::string(key), wait);
  }

  bool locks_expire() const override { return true; }

  std::int64_t requests() const override { return x_client.requests(); }
  std::string ReadRoot() const override { return x_client.Root(); }
  const S3Options& options() const override { return x_client.options(); }

  Status CheckBucket() const override {
    const S3Outcome listed = x_client.Send({"GET", "", {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", x_client.FullKey("")}}});
    return Success(listed) ? Status() : Status(S3ErrorOf(listed, "cannot open " + Url(), x_client.options()));
  }

 private:
  static bool Success(const S3Outcome& outcome) { return outcome.answered && outcome.reply.status < 300; }
  static std::string Reading(std::string_view key) { return "cannot read the object " + std::string(key); }

  /// Against the digest that the server keeps of the whole object, where it does.
  static Status Verify(const WireReply& reply, std::string_view key) {
    const std::string digest = reply.Header("x-amz-checksum-sha256");
    const bool whole = !digest.empty() && digest.find('-') == std::string::npos && reply.Header("x-amz-checksum-type") != "COMPOSITE";
    if (!whole || digest == ToBase64(BytesOfHex(Sha256Hex(reply.body)))) return {};
    return Error{ErrorKind::kCorruption, Reading(key) + ": its bytes have another SHA-256 than the object store notes", "restore it from a copy", ""};
  }

  static Result<std::string> ReadPart(int fd, const std::string& path, std::int64_t offset, std::int64_t length) {
    std::string bytes(static_cast<std::size_t>(length), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t n = pread(fd, bytes.data() + have, bytes.size() - have, offset + static_cast<off_t>(have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return PosixError(errno, "read", path);
      if (n == 0) return Error{ErrorKind::kCorruption, path + " became shorter while it was sent", "", ""};
      have += static_cast<std::size_t>(n);
    }
    return bytes;
  }

  Status EachPage(const S3Query& first, const std::string& place, const std::function<Status(const XmlNode&)>& take) const {
    std::string token;
    do {
      S3Query query = first;
      query.emplace_back("list-type", "2");
      query.emplace_back("encoding-type", "url");
      if (!token.empty()) query.emplace_back("continuation-token", token);
      const S3Outcome listed = x_client.Send({"GET", "", std::move(query)});
      if (!Success(listed)) return S3ErrorOf(listed, "cannot list " + place, x_client.options());
      TRY_ASSIGN(const XmlNode page, ParseXml(listed.reply.body));
      TRY(take(page));
      std::string next = page.TextOf("IsTruncated") == "true" ? page.TextOf("NextContinuationToken") : "";
      if (page.TextOf("IsTruncated") == "true" && (next.empty() || next == token)) {
        return Error{ErrorKind::kCorruption, "the object store breaks off a listing of " + place, "", ""};
      }
      token = std::move(next);
    } while (!token.empty());
    return {};
  }

  static Status Collect(const XmlNode& xml, const std::string& root, std::string_view after, std::vector<ObjectInfo>& found) {
    const bool encoded = xml.TextOf("EncodingType") == "url";
    for (const XmlNode& node : xml.children) {
      if (node.name != "Contents") continue;
      std::string key = node.TextOf("Key");
      if (encoded) key = Decoded(key);
      if (!key.starts_with(root) || key.ends_with('/')) continue;  // folders that a console has drawn are no objects
      key.erase(0, root.size());
      if (key <= after) continue;
      TRY_ASSIGN(const Timestamp modified, ParseTimestamp(node.TextOf("LastModified")));
      found.push_back(ObjectInfo{std::move(key), NumberOf(node.TextOf("Size")), modified});
    }
    return {};
  }

  mutable S3Client x_client;
};

}  // namespace

Result<std::unique_ptr<S3Store>> MakeS3Store(S3Options options) {
  CHECK(options.credentials != nullptr, "S3Options has a source of keys");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return std::unique_ptr<S3Store>(std::make_unique<Store>(std::move(options)));
}

}  // namespace caudal
