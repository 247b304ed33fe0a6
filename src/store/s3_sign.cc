#include "store/s3_sign.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hmac.h"
#include "base/ids.h"

namespace caudal {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

bool Unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/// "20130524T000000Z"
std::string Stamp(Timestamp now) {
  const std::string t = FormatTimestamp(now);  // 2013-05-24T00:00:00.000000Z
  return t.substr(0, 4) + t.substr(5, 2) + t.substr(8, 2) + "T" + t.substr(11, 2) + t.substr(14, 2) + t.substr(17, 2) + "Z";
}

std::string Scope(const std::string& stamp, const std::string& region) { return stamp.substr(0, 8) + "/" + region + "/s3/aws4_request"; }

/// A header's value with runs of blanks as one, and none at its ends.
std::string Squeezed(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == ' ' && (text.empty() || text.back() == ' ')) continue;
    text.push_back(c);
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string Signature(const SignedRequest& request, const std::string& query, const std::map<std::string, std::string>& headers,
                      const std::string& names, const AwsKeys& keys, const std::string& region, const std::string& stamp) {
  std::string canonical = request.method + "\n" + request.path + "\n" + query + "\n";
  for (const auto& [name, value] : headers) canonical += name + ":" + Squeezed(value) + "\n";
  canonical += "\n" + names + "\n" + request.payload_sha256;
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, stamp, Scope(stamp, region), Sha256Hex(canonical));
  std::string key = HmacSha256("AWS4" + keys.secret, stamp.substr(0, 8));
  for (const std::string& part : {region, std::string("s3"), std::string("aws4_request")}) key = HmacSha256(key, part);
  return HexOf(HmacSha256(key, to_sign));
}

std::string Names(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

}  // namespace

std::string PercentEncoded(std::string_view text, bool keep_slash) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (Unreserved(c) || (keep_slash && c == '/')) {
      encoded.push_back(c);
    } else {
      encoded.push_back('%');
      encoded.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      encoded.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return encoded;
}

std::string EncodedQuery(S3Query query) {
  for (auto& [name, value] : query) {
    name = PercentEncoded(name, false);
    value = PercentEncoded(value, false);
  }
  std::sort(query.begin(), query.end());
  std::string text;
  for (const auto& [name, value] : query) {
    text += text.empty() ? "" : "&";
    text += name;
    text += "=";
    text += value;
  }
  return text;
}

std::map<std::string, std::string> SignatureHeaders(const SignedRequest& request, const AwsKeys& keys, const std::string& region,
                                                    Timestamp now) {
  const std::string stamp = Stamp(now);
  std::map<std::string, std::string> added{{"x-amz-content-sha256", request.payload_sha256}, {"x-amz-date", stamp}};
  if (!keys.session_token.empty()) added["x-amz-security-token"] = keys.session_token;
  std::map<std::string, std::string> headers = request.headers;
  headers["host"] = request.host;
  headers.insert(added.begin(), added.end());
  const std::string names = Names(headers);
  added["authorization"] =
      fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm, keys.id, Scope(stamp, region), names,
                  Signature(request, EncodedQuery(request.query), headers, names, keys, region, stamp));
  return added;
}

std::string PresignedQuery(const SignedRequest& request, const AwsKeys& keys, const std::string& region, Timestamp now,
                           std::chrono::seconds lifetime) {
  const std::string stamp = Stamp(now);
  S3Query query{{"X-Amz-Algorithm", std::string(kAlgorithm)},
                {"X-Amz-Credential", keys.id + "/" + Scope(stamp, region)},
                {"X-Amz-Date", stamp},
                {"X-Amz-Expires", std::to_string(lifetime.count())},
                {"X-Amz-SignedHeaders", "host"}};
  if (!keys.session_token.empty()) query.emplace_back("X-Amz-Security-Token", keys.session_token);
  const std::string text = EncodedQuery(query);
  SignedRequest unsigned_payload = request;
  unsigned_payload.payload_sha256 = "UNSIGNED-PAYLOAD";
  return text + "&X-Amz-Signature=" + Signature(unsigned_payload, text, {{"host", request.host}}, "host", keys, region, stamp);
}

}  // namespace caudal
