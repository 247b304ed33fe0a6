#include <curl/curl.h>

#include <algorithm>

#include "connect/http_client.h"

namespace caudal {
namespace {

struct Url {
  CURLU* handle = curl_url();
  Url() = default;
  ~Url() { curl_url_cleanup(handle); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  bool Set(const std::string& text) { return curl_url_set(handle, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK; }
  std::string Get(CURLUPart part) const {
    char* text = nullptr;
    if (curl_url_get(handle, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
    std::string out(text);
    curl_free(text);
    return out;
  }
  std::string Whole() const {
    char* text = nullptr;
    if (curl_url_get(handle, CURLUPART_URL, &text, 0) != CURLUE_OK) return "";
    std::string out(text);
    curl_free(text);
    return out;
  }
};

/// Gives every `name=value` of a query to `each`, which may change it; an empty text drops it.
template <typename F>
std::string MapQuery(const std::string& query, F each) {
  std::string out;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string pair = each(query.substr(at, end - at));
    if (!pair.empty()) out += (out.empty() ? "" : "&") + pair;
    at = end + 1;
  }
  return out;
}

bool LooksLikeKey(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* word : {"key", "token", "secret", "password", "passwd", "auth", "signature", "credential"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return name == "sig" || name == "pwd" || name == "pass";
}

}  // namespace

Result<std::string> ResolveUrl(const std::string& base, const std::string& url) {
  Url whole;
  if (!whole.Set(base) || !whole.Set(url)) {
    return Error{ErrorKind::kInvalidArgument, "this is no URL: " + PublicUrl(url), "write it as https://host/path", ""};
  }
  const std::string scheme = whole.Get(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return Error{ErrorKind::kPermission, "only http and https are asked, not: " + scheme, "write it as https://host/path", ""};
  }
  return whole.Whole();
}

bool SameOrigin(const std::string& a, const std::string& b) {
  Url first;
  Url second;
  if (!first.Set(a) || !second.Set(b)) return false;
  for (const CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    if (first.Get(part) != second.Get(part)) return false;
  }
  return true;
}

std::string UrlEncoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    if (plain) {
      out.push_back(raw);
    } else {
      out.push_back('%');
      out.push_back(kDigits[c >> 4]);
      out.push_back(kDigits[c & 15]);
    }
  }
  return out;
}

std::string WithParameter(const std::string& url, const std::string& name, const std::string& value) {
  const std::size_t hash = url.find('#');
  const std::string plain = url.substr(0, hash);
  const std::size_t mark = plain.find('?');
  const std::string encoded = UrlEncoded(name);
  std::string query;
  if (mark != std::string::npos) {
    query = MapQuery(plain.substr(mark + 1), [&](std::string pair) {
      const std::string key = pair.substr(0, pair.find('='));
      return key == encoded || key == name ? std::string() : pair;
    });
  }
  query += (query.empty() ? "" : "&") + encoded + "=" + UrlEncoded(value);
  return plain.substr(0, mark) + "?" + query;
}

std::string PublicUrl(const std::string& url) {
  std::string out = url.substr(0, url.find('#'));
  const std::size_t scheme = out.find("://");
  if (scheme != std::string::npos) {
    const std::size_t end = std::min(out.find_first_of("/?", scheme + 3), out.size());
    const std::size_t at = out.rfind('@', end);
    if (at != std::string::npos && at > scheme) out.erase(scheme + 3, at - scheme - 2);
  }
  const std::size_t mark = out.find('?');
  if (mark == std::string::npos) return out;
  const std::string query = MapQuery(out.substr(mark + 1), [](std::string pair) {
    const std::string key = pair.substr(0, pair.find('='));
    return LooksLikeKey(key) ? key + "=***" : pair;
  });
  return out.substr(0, mark + 1) + query;
}

std::string Redacted(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < 3) continue;
    for (const std::string& form : {secret, UrlEncoded(secret)}) {
      for (std::size_t at = 0; (at = text.find(form, at)) != std::string::npos; at += 3) text.replace(at, form.size(), "***");
    }
  }
  return text;
}

}  // namespace caudal
