#include "store/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/hmac.h"
#include "base/ids.h"
#include "store/xml.h"

namespace caudal {
namespace {

constexpr const char* kTokenHeader = "x-amz-meta-caudal-put";
constexpr std::int64_t kMostParts = 9'000;  // the limit is 10,000
constexpr int kConflicts = 5;

std::string Creating(const std::string& key) { return "cannot create the object " + key; }

/// Whose object lies at `key`, if any.
enum class Whose { kNobodys, kOurs, kTheirs };

Result<Whose> LookWhose(S3Client& client, const std::string& key, const std::string& token, std::int64_t size_bytes) {
  const S3Outcome head = client.Send({"HEAD", key});
  if (head.answered && head.reply.status == 404) return Whose::kNobodys;
  if (!head.answered || head.reply.status >= 300) return S3ErrorOf(head, "cannot look at the object " + key, client.options());
  const bool ours = head.reply.Header(kTokenHeader) == token && head.reply.Header("content-length") == std::to_string(size_bytes);
  return ours ? Whose::kOurs : Whose::kTheirs;
}

Error Taken(const std::string& key) { return Error{ErrorKind::kAlreadyExists, "the object is already there: " + key, "", ""}; }

Error Unknown(const std::string& key, const Error& cause) {
  return Error{ErrorKind::kCommitUnknown, "whether the object " + key + " was created is not known: " + cause.message,
               "look for it before anything is removed", ""};
}

/// The verdict on a conditional request that may have had its effect once before, or was answered 412.
Status Settle(S3Client& client, const std::string& key, const std::string& token, std::int64_t size_bytes, const S3Outcome& outcome) {
  const Error error = S3ErrorOf(outcome, Creating(key), client.options());
  const auto whose = LookWhose(client, key, token, size_bytes);
  if (!whose) return outcome.unclear ? Unknown(key, whose.error()) : error;
  if (*whose == Whose::kOurs) return {};
  if (*whose == Whose::kTheirs) return Taken(key);
  return outcome.unclear ? Unknown(key, error) : error;  // it may still arrive
}

/// The object was there before: 412.
bool IsConflict(const S3Outcome& outcome) { return outcome.answered && outcome.reply.status == 412; }

/// One upload in parts; aborted when it dies unfinished.
class Upload {
 public:
  Upload(S3Client& client, std::string key) : x_client(client), x_key(std::move(key)) {}
  ~Upload() {
    if (!x_id.empty()) (void)x_client.Send({"DELETE", x_key, {{"uploadId", x_id}}});
  }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  Status Begin() {
    const S3Outcome begun = x_client.Send({"POST", x_key, {{"uploads", ""}}, {{kTokenHeader, x_token}}});
    if (!begun.answered || begun.reply.status >= 300) return S3ErrorOf(begun, Creating(x_key), x_client.options());
    TRY_ASSIGN(const XmlNode xml, ParseXml(begun.reply.body));
    x_id = xml.TextOf("UploadId");
    if (x_id.empty()) return Error{ErrorKind::kCorruption, Creating(x_key) + ": the object store names no upload", "", ""};
    return {};
  }

  Status SendPart(std::string_view bytes) {
    return Part({"PUT", x_key, PartQuery(), {}, bytes}, [](const WireReply& reply) { return reply.Header("etag"); });
  }

  Status CopyPart(const std::string& source, std::int64_t offset, std::int64_t length) {
    std::map<std::string, std::string> headers{{"x-amz-copy-source", source},
                                               {"x-amz-copy-source-range", fmt::format("bytes={}-{}", offset, offset + length - 1)}};
    return Part({"PUT", x_key, PartQuery(), std::move(headers)}, [](const WireReply& reply) {
      const auto xml = ParseXml(reply.body);
      return xml ? xml->TextOf("ETag") : std::string();
    });
  }

  /// kConflict: the whole upload is to begin again (AWS's answer to two that end at once).
  Status Complete(std::int64_t size_bytes) {
    std::string text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (std::size_t i = 0; i < x_etags.size(); ++i) {
      text += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, XmlEscaped(x_etags[i]));
    }
    text += "</CompleteMultipartUpload>";
    const S3Outcome done = x_client.Send({"POST", x_key, {{"uploadId", x_id}}, {{"if-none-match", "*"}}, text});
    const bool success = done.answered && done.reply.status < 300 && done.code.empty();
    if (done.answered && done.code == "ConditionalRequestConflict") return Error{ErrorKind::kConflict, "two uploads ended at once", "", ""};
    // A success is looked at as well: the size is the end of the chain of checks that began with the parts' digests.
    if (success || IsConflict(done) || done.unclear || done.reply.status == 404) {
      S3Outcome verdict = done;
      if (success) verdict.unclear = true;
      const Status settled = Settle(x_client, x_key, x_token, size_bytes, verdict);
      if (settled || settled.error().kind == ErrorKind::kCommitUnknown) x_id.clear();  // nothing to abort, or not ours to say
      return settled;
    }
    return S3ErrorOf(done, Creating(x_key), x_client.options());
  }

 private:
  S3Query PartQuery() const { return {{"partNumber", std::to_string(x_etags.size() + 1)}, {"uploadId", x_id}}; }

  Status Part(const S3Request& request, std::string (*etag_of)(const WireReply&)) {
    const S3Outcome sent = x_client.Send(request);
    if (!sent.answered || sent.reply.status >= 300 || !sent.code.empty()) return S3ErrorOf(sent, Creating(x_key), x_client.options());
    x_etags.push_back(etag_of(sent.reply));
    if (x_etags.back().empty()) return Error{ErrorKind::kCorruption, Creating(x_key) + ": a part has no ETag", "", ""};
    return {};
  }

  S3Client& x_client;
  const std::string x_key;
  const std::string x_token = NewToken();
  std::string x_id;
  std::vector<std::string> x_etags;
};

Status InParts(S3Client& client, const std::string& key, std::int64_t size_bytes, std::int64_t part_bytes,
               const std::function<Status(Upload&, std::int64_t offset, std::int64_t length)>& send) {
  const std::int64_t part = std::max(part_bytes, size_bytes / kMostParts + 1);
  for (int conflict = 0;; ++conflict) {
    Upload upload(client, key);
    TRY(upload.Begin());
    for (std::int64_t offset = 0; offset < size_bytes; offset += part) TRY(send(upload, offset, std::min(part, size_bytes - offset)));
    Status done = upload.Complete(size_bytes);
    if (done || done.error().kind != ErrorKind::kConflict || conflict >= kConflicts) return done;
    std::this_thread::sleep_for(client.options().first_pause * (conflict + 1));
  }
}

}  // namespace

Status CreateOnce(S3Client& client, const std::string& key, std::string_view bytes, const std::function<void()>& before_last_byte) {
  const std::string token = NewToken();
  std::map<std::string, std::string> headers{{"if-none-match", "*"},
                                             {kTokenHeader, token},
                                             {"x-amz-checksum-sha256", ToBase64(BytesOfHex(Sha256Hex(bytes)))}};
  const S3Outcome put = client.Send({"PUT", key, {}, std::move(headers), bytes, before_last_byte});
  if (put.answered && put.reply.status < 300) return {};
  if (IsConflict(put) && !put.unclear) return Taken(key);
  if (put.unclear) return Settle(client, key, token, static_cast<std::int64_t>(bytes.size()), put);
  return S3ErrorOf(put, Creating(key), client.options());
}

Status CreateInParts(S3Client& client, const std::string& key, std::int64_t size_bytes, std::int64_t part_bytes, const PartReader& read) {
  return InParts(client, key, size_bytes, part_bytes, [&](Upload& upload, std::int64_t offset, std::int64_t length) -> Status {
    TRY_ASSIGN(const std::string bytes, read(offset, length));
    return upload.SendPart(bytes);
  });
}

Status CreateFromObject(S3Client& client, const std::string& key, const std::string& from, std::int64_t size_bytes, std::int64_t part_bytes) {
  const std::string source = "/" + client.options().bucket + "/" + PercentEncoded(client.FullKey(from), true);
  return InParts(client, key, size_bytes, part_bytes, [&](Upload& upload, std::int64_t offset, std::int64_t length) {
    return upload.CopyPart(source, offset, length);
  });
}

}  // namespace caudal
