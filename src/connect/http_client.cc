#include "connect/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <thread>

#include "connect/inflate.h"

namespace caudal {
namespace {

bool PrivateV4(std::uint32_t a) {
  const auto in = [&](std::uint32_t net, int bits) { return (a >> (32 - bits)) == (net >> (32 - bits)); };
  return in(0x00000000, 8) || in(0x0A000000, 8) || in(0x7F000000, 8) || in(0x64400000, 10) || in(0xA9FE0000, 16) ||
         in(0xAC100000, 12) || in(0xC0A80000, 16) || in(0xC6120000, 15) || in(0xE0000000, 3);
}

/// Loopback, private, link-local, shared and multicast addresses.
bool Private(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return PrivateV4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return true;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  const unsigned char* b = v6.sin6_addr.s6_addr;
  const auto embedded = [&](int at) {
    return (std::uint32_t{b[at]} << 24) | (std::uint32_t{b[at + 1]} << 16) | (std::uint32_t{b[at + 2]} << 8) | b[at + 3];
  };
  const bool zeros = std::all_of(b, b + 10, [](unsigned char c) { return c == 0; });
  if (zeros && b[10] == 0xFF && b[11] == 0xFF) return PrivateV4(embedded(12));
  if (zeros && b[10] == 0 && b[11] == 0) return true;  // ::, ::1 and the old embedding
  if (b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xFF && b[3] == 0x9B) return PrivateV4(embedded(12));
  return (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0) == 0x80) || b[0] == 0xFF;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

/// One transfer, as libcurl's callbacks see it.
struct Transfer {
  const HttpOptions* options = nullptr;
  HttpAnswer answer;
  bool too_large = false;
  bool was_private = false;
};

std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  if (static_cast<std::int64_t>(transfer->answer.body.size() + size * count) > transfer->options->max_bytes) {
    transfer->too_large = true;
    return 0;
  }
  transfer->answer.body.append(bytes, size * count);
  return size * count;
}

std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) transfer->answer.headers.clear();  // behind a 100
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string& value = transfer->answer.headers[Lower(std::string(line.substr(0, colon)))];
  value += (value.empty() ? "" : ", ") + Trimmed(line.substr(colon + 1));
  return line.size();
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<const Transfer*>(user);
  return transfer->options->cancelled && transfer->options->cancelled() ? 1 : 0;
}

curl_socket_t OnOpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(user);
  // The address that is connected to, not a name that may change in between.
  if (!transfer->options->allow_private && Private(&address->addr)) {
    transfer->was_private = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

/// An error that another try may cure carries the time to wait.
struct Failure {
  Error error;
  bool again = false;
  std::chrono::milliseconds wait{-1};  // what the server asked for
};

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : x_options(std::move(options)), x_curl(curl_easy_init()) {}
  ~CurlClient() override { curl_easy_cleanup(x_curl); }
  bool ready() const { return x_curl != nullptr; }

  Result<HttpAnswer> Get(const std::string& first, const std::map<std::string, std::string>& extra) override {
    for (int attempt = 1;; ++attempt) {
      Failure failure{Error{}, false, std::chrono::milliseconds(-1)};
      Result<HttpAnswer> answer = Follow(first, extra, failure);
      if (answer) return answer;
      Error error = std::move(answer).error();
      error.message = Redacted(error.message, x_options.secrets);
      if (!failure.again || attempt >= x_options.tries) return error;
      const auto pause = failure.wait.count() >= 0 ? failure.wait : std::chrono::milliseconds(attempt == 1 ? 300 : 1500);
      if (pause > x_options.longest_wait) return error;
      TRY(Sleep(pause));
    }
  }

 private:
  Status Sleep(std::chrono::milliseconds pause) const {
    const auto wake = std::chrono::steady_clock::now() + pause;
    while (std::chrono::steady_clock::now() < wake) {
      if (x_options.cancelled && x_options.cancelled()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
  }

  Result<HttpAnswer> Follow(const std::string& first, const std::map<std::string, std::string>& extra, Failure& failure) {
    std::string url = first;
    for (int hop = 0; hop < 6; ++hop) {
      const bool home = SameOrigin(url, x_options.origin_url);
      TRY_ASSIGN(HttpAnswer answer, Once(url, extra, home, failure));
      if (answer.status < 300 || answer.status == 304 || answer.status >= 400) return Judge(std::move(answer), failure);
      const std::string location = answer.Header("location");
      if (location.empty()) return Judge(std::move(answer), failure);
      TRY_ASSIGN(const std::string next, ResolveUrl(url, location));
      if (!x_options.credentials.empty() && !SameOrigin(next, x_options.origin_url)) {
        return Error{ErrorKind::kPermission,
                     fmt::format("the server redirects to another place, where the credentials must not go: {} -> {}",
                                 PublicUrl(url), PublicUrl(next)),
                     "write that place as base_url, if it is right", ""};
      }
      if (url.starts_with("https://") && next.starts_with("http://")) {
        return Error{ErrorKind::kPermission, "the server redirects from https to http: " + PublicUrl(next),
                     "write the address that it means as base_url, or have the server mended", ""};
      }
      url = next;
    }
    return Error{ErrorKind::kUnavailable, "the server redirects without end: " + PublicUrl(first),
                 "correct base_url or `path:`", ""};
  }

  Result<HttpAnswer> Once(const std::string& url, const std::map<std::string, std::string>& extra, bool home,
                          Failure& failure) {
    Transfer transfer;
    transfer.options = &x_options;
    HeaderList headers;
    headers.Add("Accept-Encoding: identity");
    headers.Add("Expect:");
    const auto add = [&](const std::map<std::string, std::string>& map) {
      for (const auto& [name, value] : map) headers.Add(name + ": " + value);
    };
    add(x_options.headers);
    add(extra);
    if (home) add(x_options.credentials);
    char why[CURL_ERROR_SIZE] = {};
    curl_easy_reset(x_curl);
    curl_easy_setopt(x_curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(x_curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(x_curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(x_curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x_curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(x_curl, CURLOPT_USERAGENT, "caudal/" CAUDAL_VERSION);
    curl_easy_setopt(x_curl, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(x_curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(x_options.connect_timeout.count()));
    curl_easy_setopt(x_curl, CURLOPT_TIMEOUT_MS, static_cast<long>(x_options.timeout.count()));
    curl_easy_setopt(x_curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(x_curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(x_curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(x_curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(x_curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(x_curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
    curl_easy_setopt(x_curl, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(x_curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(x_curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(x_curl, CURLOPT_XFERINFODATA, &transfer);
    const CURLcode code = curl_easy_perform(x_curl);
    if (code != CURLE_OK) return Broken(code, why, url, transfer, failure);
    long status = 0;
    curl_easy_getinfo(x_curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    transfer.answer.url = url;
    TRY(Decode(transfer.answer));
    return std::move(transfer.answer);
  }

  /// A server may compress though it was asked not to.
  Status Decode(HttpAnswer& answer) const {
    const std::string encoding = Lower(answer.Header("content-encoding"));
    if (encoding != "gzip" && encoding != "x-gzip" && encoding != "zstd") return {};
    if (answer.body.empty()) return {};
    InflateLimits limits;
    limits.max_bytes = x_options.max_bytes;
    TRY_ASSIGN(const auto inflater, MakeInflater(encoding == "zstd" ? "zstd" : "gzip", PublicUrl(answer.url), limits));
    std::string plain;
    TRY(inflater->Feed(answer.body, [&](std::string_view bytes) {
      plain.append(bytes);
      return Status();
    }));
    TRY(inflater->Finish());
    answer.body = std::move(plain);
    return {};
  }

  Error Broken(CURLcode code, const char* why, const std::string& url, const Transfer& transfer, Failure& failure) const {
    const std::string place = PublicUrl(url);
    if (transfer.too_large) {
      return Error{ErrorKind::kCorruption, fmt::format("an answer has more than {} bytes: {}", x_options.max_bytes, place),
                   "ask for smaller pages, or raise `max_page_bytes`", ""};
    }
    if (transfer.was_private) {
      return Error{ErrorKind::kPermission, "the address is private or local, and those are not asked: " + place,
                   "write `allow_private: true` for the client, if it is meant", ""};
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      return Error{ErrorKind::kInvalidArgument, "this is no http URL: " + place, "correct base_url or path", ""};
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
      return Error{ErrorKind::kPermission, fmt::format("the server's certificate is not trusted: {}: {}", why, place),
                   "install the authority that signed it, or correct base_url", ""};
    }
    failure.again = true;
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return Error{ErrorKind::kTimeout, fmt::format("no whole answer in time: {}: {}", why, place), "raise `timeout`", ""};
    }
    const char* text = why[0] != '\0' ? why : curl_easy_strerror(code);
    return Error{ErrorKind::kUnavailable, fmt::format("the request failed: {}: {}", text, place),
                 "check that the server runs and that base_url names it; `caudal connection test` asks again", ""};
  }

  Result<HttpAnswer> Judge(HttpAnswer answer, Failure& failure) const {
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
    failure.again = true;
    const std::string after = answer.Header("retry-after");
    int seconds = 0;
    const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), seconds);
    if (error == std::errc() && end == after.data() + after.size() && !after.empty()) {
      failure.wait = std::chrono::seconds(seconds);
    } else if (const time_t date = after.empty() ? -1 : curl_getdate(after.c_str(), nullptr); date > 0) {
      failure.wait = std::chrono::seconds(std::max<time_t>(0, date - ::time(nullptr)));
    }
    return Error{ErrorKind::kUnavailable, what, after.empty() ? "try again later" : "the server asks to wait: Retry-After " + after, ""};
  }

  HttpOptions x_options;
  CURL* x_curl;
};

}  // namespace

std::string HttpAnswer::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Result<std::unique_ptr<HttpClient>> HttpClient::Make(HttpOptions options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto client = std::make_unique<CurlClient>(std::move(options));
  if (started == CURLE_OK && client->ready()) return std::unique_ptr<HttpClient>(std::move(client));
  return Error{ErrorKind::kInternal, "libcurl does not start", "", ""};
}

}  // namespace caudal
