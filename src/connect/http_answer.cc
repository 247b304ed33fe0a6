#include "connect/http_answer.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <charconv>

#include "connect/inflate.h"

namespace caudal {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// Retry-After: seconds, or a date (RFC 9110, 10.2.3). Below 0 = neither.
std::chrono::milliseconds RetryAfter(const std::string& text, Timestamp now) {
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error == std::errc() && at == end && seconds >= 0) {
    return std::chrono::seconds(std::min<std::int64_t>(seconds, 1'000'000'000));
  }
  std::tm date{};
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &date);
  if (rest == nullptr) return std::chrono::milliseconds(-1);
  const auto left = std::chrono::sys_seconds(std::chrono::seconds(::timegm(&date))) - now;
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(left));
}

std::string_view DeflateKind(const std::string& body) {
  // Called deflate, and meant is zlib (RFC 9110, 8.4.1.2); some send the bare stream.
  if (body.size() < 2) return "zlib";
  const auto first = static_cast<unsigned char>(body[0]);
  const auto second = static_cast<unsigned char>(body[1]);
  return (first & 15U) == 8 && (first * 256U + second) % 31 == 0 ? "zlib" : "deflate";
}

}  // namespace

std::string HttpAnswer::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Result<HttpAnswer> JudgeAnswer(HttpAnswer answer, Timestamp now, HttpAgain& again) {
  const int status = answer.status;
  if ((status >= 200 && status < 300) || status == 304) return answer;
  std::string said = answer.body.substr(0, 200);
  std::replace_if(said.begin(), said.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  const std::string what = fmt::format("the server answers {}{}{}: {}", status, said.empty() ? "" : ": ", said,
                                       PublicUrl(answer.url));
  if (status == 401 || status == 403) {
    return Error{ErrorKind::kPermission, what, "check `auth:` of the client and the secret behind it", ""};
  }
  if (status == 404 || status == 410) return Error{ErrorKind::kNotFound, what, "check base_url and `path:`", ""};
  if (status != 429 && status != 408 && status < 500) {
    return Error{ErrorKind::kInvalidArgument, what, "check `path:` and `params:`", ""};
  }
  const std::string after = answer.Header("retry-after");
  again.again = true;
  again.wait = after.empty() ? std::chrono::milliseconds(-1) : RetryAfter(after, now);
  again.busy = status == 429 || (status == 503 && again.wait.count() >= 0);
  return Error{ErrorKind::kUnavailable, what, after.empty() ? "try again later" : "the server asks to wait: Retry-After " + after, ""};
}

Status DecodeBody(HttpAnswer& answer, std::int64_t max_bytes) {
  const std::string encoding = Lower(answer.Header("content-encoding"));
  if (encoding.empty() || encoding == "identity" || answer.body.empty()) return {};
  std::string_view kind;
  if (encoding == "gzip" || encoding == "x-gzip") {
    kind = "gzip";
  } else if (encoding == "zstd") {
    kind = encoding;
  } else if (encoding == "deflate") {
    kind = DeflateKind(answer.body);
  } else {
    return Error{ErrorKind::kUnsupported,
                 fmt::format("the server compresses by {}, though gzip, deflate or nothing was asked for: {}", encoding,
                             PublicUrl(answer.url)),
                 "have it keep to Accept-Encoding, or switch its compression off", ""};
  }
  InflateLimits limits;
  limits.max_bytes = max_bytes;
  TRY_ASSIGN(const auto inflater, MakeInflater(kind, PublicUrl(answer.url), limits));
  std::string plain;
  TRY(inflater->Feed(answer.body, [&](std::string_view bytes) {
    plain.append(bytes);
    return Status();
  }));
  TRY(inflater->Finish());
  answer.body = std::move(plain);
  return {};
}

std::chrono::milliseconds PauseBefore(int attempt, const HttpAgain& again) {
  if (!again.busy) return again.wait.count() >= 0 ? again.wait : std::chrono::milliseconds(attempt == 1 ? 300 : 1500);
  // A server that says "at once" again and again is still not asked without end.
  const std::chrono::milliseconds least(attempt == 1 && again.wait.count() >= 0 ? 0 : std::min(30'000, 500 << std::min(attempt - 1, 6)));
  return std::max(least, again.wait);
}

}  // namespace caudal
