#include "store/s3_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <set>
#include <thread>

#include "base/ids.h"
#include "store/xml.h"

namespace caudal {
namespace {

constexpr std::chrono::seconds kLongestRetryAfter{20};

WireOptions WireOf(const S3Options& options) {
  WireOptions wire;
  wire.connect_timeout = options.connect_timeout;
  wire.stall = options.stall;
  wire.ca_file = options.ca_file;
  return wire;
}

/// Full jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
std::chrono::milliseconds Pause(const S3Options& options, int attempt) {
  const auto most = std::min<std::int64_t>(options.longest_pause.count(), options.first_pause.count() << std::min(attempt, 16));
  thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(most / 4, std::max<std::int64_t>(most, 1))(random));
}

std::chrono::milliseconds RetryAfter(const WireReply& reply) {
  const std::string text = reply.Header("retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) return std::chrono::milliseconds(0);
  return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongestRetryAfter);
}

/// "NoSuchKey" of <Error><Code>; also where the status is 200, as CompleteMultipartUpload answers late failures.
std::string CodeOf(const WireReply& reply) {
  if (reply.body.find("<Error") == std::string::npos) return "";
  const auto xml = ParseXml(reply.body);
  return xml && xml->name == "Error" ? xml->TextOf("Code") : "";
}

bool Passing(int status, const std::string& code) {
  static const std::set<std::string> kCodes{"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "ThrottlingException", "Throttling",
                                            "RequestLimitExceeded", "BandwidthLimitExceeded", "OperationAborted", "BadDigest"};
  return status == 500 || status == 502 || status == 503 || status == 504 || status == 429 || kCodes.contains(code);
}

}  // namespace

S3Client::S3Client(S3Options options) : x_options(std::move(options)), x_wire(WireOf(x_options)) {}

std::string S3Client::FullKey(std::string_view key) const {
  if (x_options.prefix.empty()) return std::string(key);
  return x_options.prefix + "/" + std::string(key);
}

std::string S3Client::Origin() const {
  std::string origin = x_options.endpoint;
  if (origin.empty()) origin = "https://s3." + x_options.region + ".amazonaws.com";
  if (x_options.path_style) return origin;
  const std::size_t host = origin.find("://") + 3;
  return origin.substr(0, host) + x_options.bucket + "." + origin.substr(host);
}

/// As the Host header has it: without the port that the scheme implies.
std::string S3Client::Host() const {
  const std::string origin = Origin();
  std::string host = origin.substr(origin.find("://") + 3);
  const std::string_view standard = origin.starts_with("https://") ? ":443" : ":80";
  if (host.ends_with(standard)) host.resize(host.size() - standard.size());
  return host;
}

std::string S3Client::PathOf(std::string_view key) const {
  const std::string bucket = x_options.path_style ? "/" + x_options.bucket : "";
  return key.empty() ? (bucket.empty() ? "/" : bucket) : bucket + "/" + PercentEncoded(FullKey(key), true);
}

std::string S3Client::Root() const {
  const std::string bucket = x_options.path_style ? "/" + x_options.bucket : "";
  return Origin() + bucket + (x_options.prefix.empty() ? "" : "/" + PercentEncoded(x_options.prefix, true));
}

Timestamp S3Client::ServersNow() const {
  std::lock_guard lock(x_mutex);
  return SystemClock().Now() + x_clock_offset;
}

Result<std::string> S3Client::ReadUrl(std::string_view key) {
  TRY_ASSIGN(const AwsKeys keys, x_options.credentials->Keys());
  const SignedRequest request{"GET", Host(), PathOf(key), {}, {}, ""};
  return Origin() + request.path + "?" + PresignedQuery(request, keys, x_options.region, ServersNow(), x_options.read_url_lifetime);
}

WireOutcome S3Client::SendOnce(const S3Request& request, const AwsKeys& keys, const std::string& payload) {
  SignedRequest to_sign{request.method, Host(), PathOf(request.key), request.query, request.headers, payload};
  WireRequest sent;
  sent.method = request.method;
  sent.headers = request.headers;
  sent.headers.merge(SignatureHeaders(to_sign, keys, x_options.region, ServersNow()));
  sent.url = Origin() + to_sign.path + (request.query.empty() ? "" : "?" + EncodedQuery(request.query));
  sent.body = request.body;
  sent.before_last_byte = request.before_last_byte;
  return x_wire.Send(sent);
}

bool S3Client::Again(const S3Request& request, const S3Outcome& outcome, const AwsKeys& keys, int attempt) {
  if (attempt >= x_options.tries) return false;
  if (!outcome.answered) return outcome.error.kind == ErrorKind::kUnavailable || outcome.error.kind == ErrorKind::kTimeout;
  if (Passing(outcome.reply.status, outcome.code)) return true;
  if (outcome.code == "ConditionalRequestConflict" && !request.key.empty() && request.method == "PUT") return true;
  if (outcome.code == "ExpiredToken" || outcome.code == "InvalidToken" || outcome.code == "InvalidAccessKeyId") {
    x_options.credentials->Refused(keys);
    const auto fresh = x_options.credentials->Keys();
    return fresh && (fresh->id != keys.id || fresh->session_token != keys.session_token);
  }
  if (outcome.code == "RequestTimeTooSkewed") {
    const std::time_t theirs = curl_getdate(outcome.reply.Header("date").c_str(), nullptr);
    if (theirs <= 0) return false;
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(SystemClock().Now()).time_since_epoch();
    std::lock_guard lock(x_mutex);
    const std::chrono::seconds offset = std::chrono::seconds(theirs) - now;
    if (offset == x_clock_offset) return false;
    x_clock_offset = offset;
    return true;
  }
  return false;
}

S3Outcome S3Client::Send(const S3Request& request) {
  const std::string payload = Sha256Hex(request.body);
  bool unclear = false;
  for (int attempt = 1;; ++attempt) {
    S3Outcome outcome;
    auto keys = x_options.credentials->Keys();
    if (!keys) {
      outcome.error = std::move(keys).error();
      outcome.unclear = unclear;
      return outcome;
    }
    WireOutcome wire = SendOnce(request, *keys, payload);
    outcome.answered = wire.answered;
    outcome.reply = std::move(wire.reply);
    outcome.error = std::move(wire.error);
    if (outcome.answered) outcome.code = CodeOf(outcome.reply);
    const bool again = Again(request, outcome, *keys, attempt);
    const bool said_no = outcome.answered && (outcome.reply.status == 503 || outcome.reply.status == 429 || outcome.reply.status == 409);
    const bool passing = outcome.answered && Passing(outcome.reply.status, outcome.code);
    if (outcome.answered ? passing && !said_no : wire.may_have_arrived) unclear = true;
    if (wire.sent_twice) unclear = true;
    if (!again) {
      outcome.unclear = unclear;
      if (passing) {
        outcome.answered = false;
        outcome.error = Error{ErrorKind::kUnavailable,
                              fmt::format("the object store refused {} tries, the last one with {}{}{}", attempt, outcome.reply.status,
                                          outcome.code.empty() ? "" : " ", outcome.code),
                              "try again later", ""};
      }
      return outcome;
    }
    std::this_thread::sleep_for(std::max(Pause(x_options, attempt), RetryAfter(outcome.reply)));
  }
}

Error S3ErrorOf(const S3Outcome& outcome, const std::string& what, const S3Options& options) {
  if (!outcome.answered) {
    Error error = outcome.error;
    error.message = what + ": " + error.message;
    return error;
  }
  const int status = outcome.reply.status;
  const std::string said = fmt::format("{}: the object store answers {}{}{}", what, status, outcome.code.empty() ? "" : " ", outcome.code);
  const std::string theirs = outcome.reply.Header("x-amz-bucket-region");
  if (status == 301 || status == 307 || outcome.code == "AuthorizationHeaderMalformed" || outcome.code == "IllegalLocationConstraintException") {
    return Error{ErrorKind::kInvalidArgument, said + (theirs.empty() ? "" : "; the bucket is in " + theirs),
                 theirs.empty() ? "set AWS_REGION to the bucket's region" : "export AWS_REGION=" + theirs, ""};
  }
  if (outcome.code == "NoSuchBucket") {
    return Error{ErrorKind::kInvalidArgument, said + ": there is no bucket " + options.bucket, "create it, or correct lake:", ""};
  }
  if (status == 404) return Error{ErrorKind::kNotFound, what + ": it is not there", "", ""};
  if (outcome.code == "SignatureDoesNotMatch" || outcome.code == "InvalidAccessKeyId" || outcome.code == "ExpiredToken" || outcome.code == "InvalidToken" ||
      status == 401) {
    return Error{ErrorKind::kPermission, said, "see which keys are in force: docs/s3.md, Keys", ""};
  }
  if (status == 403) {
    return Error{ErrorKind::kPermission, said, "give these keys the rights that docs/s3.md lists for bucket " + options.bucket, ""};
  }
  if (status == 412 || status == 409) return Error{ErrorKind::kAlreadyExists, said, "", ""};
  if (status == 501) return Error{ErrorKind::kUnsupported, said, "docs/s3.md says what a server has to do", ""};
  if (status >= 500) return Error{ErrorKind::kUnavailable, said, "try again later", ""};
  return Error{ErrorKind::kInvalidArgument, said, "", ""};
}

}  // namespace caudal
