#include "store/wire.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

namespace caudal {
namespace {

constexpr std::size_t kIdleLines = 40;
constexpr std::size_t kMostHeaderBytes = 64 << 10;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  static_cast<WireReply*>(user)->body.append(bytes, size * count);
  return size * count;
}

std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& headers = static_cast<WireReply*>(user)->headers;
  const std::string_view line(bytes, size * count);
  if (line.size() > kMostHeaderBytes) return 0;
  if (line.starts_with("HTTP/")) headers.clear();  // behind a 100
  if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers[Lower(line.substr(0, colon))] = std::string(Trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

curl_socket_t OnOpenSocket(void*, curlsocktype, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// A body whose last byte waits for a word.
struct HeldBody {
  std::string_view bytes;
  const std::function<void()>& before_last_byte;
  std::size_t sent = 0;
};

std::size_t OnHeldBody(char* to, std::size_t size, std::size_t count, void* user) {
  auto* held = static_cast<HeldBody*>(user);
  const std::size_t left = held->bytes.size() - held->sent;
  if (left == 1) held->before_last_byte();
  const std::size_t now = std::min(size * count, left > 1 ? left - 1 : left);
  std::copy_n(held->bytes.data() + held->sent, now, to);
  held->sent += now;
  return now;
}

/// "http://host:9000" of a URL.
std::string OriginOf(const std::string& url) {
  const std::size_t host = url.find("://");
  return host == std::string::npos ? "" : url.substr(0, url.find('/', host + 3));
}

bool NeverArrived(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_SSL_CONNECT_ERROR ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_UNSUPPORTED_PROTOCOL;
}

Error ErrorOf(CURLcode code, const char* why, const std::string& url) {
  const std::string text = fmt::format("{}: {}", why[0] != '\0' ? why : curl_easy_strerror(code), OriginOf(url));
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error{ErrorKind::kTimeout, "the object store did not answer in time: " + text, "see whether it is overloaded, then try again", ""};
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
    return Error{ErrorKind::kPermission, "the object store's certificate is not trusted: " + text,
                 "install the authority that signed it, or name its file in AWS_CA_BUNDLE", ""};
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return Error{ErrorKind::kInvalidArgument, "this is no address of an object store: " + text, "write AWS_ENDPOINT_URL=https://host[:port]", ""};
  }
  return Error{ErrorKind::kUnavailable, "the object store cannot be reached: " + text,
               "see whether it runs, and whether AWS_ENDPOINT_URL and AWS_REGION name it", ""};
}

}  // namespace

struct Wire::Line {
  CURL* curl = curl_easy_init();
  curl_slist* headers = nullptr;
  char why[CURL_ERROR_SIZE] = {};
  bool connected = false;  // by an earlier request
  Line() = default;
  ~Line() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
};

std::string WireReply::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Wire::Wire(WireOptions options) : x_options(std::move(options)) {}
Wire::~Wire() = default;

std::int64_t Wire::sent() const {
  std::lock_guard lock(x_mutex);
  return x_sent;
}

std::unique_ptr<Wire::Line> Wire::Borrow() {
  std::lock_guard lock(x_mutex);
  ++x_sent;
  if (x_idle.empty()) return std::make_unique<Line>();
  std::unique_ptr<Line> line = std::move(x_idle.back());
  x_idle.pop_back();
  return line;
}

void Wire::GiveBack(std::unique_ptr<Line> line) {
  std::lock_guard lock(x_mutex);
  if (x_idle.size() < kIdleLines) x_idle.push_back(std::move(line));
}

WireOutcome Wire::Send(const WireRequest& request) {
  WireOutcome outcome;
  std::unique_ptr<Line> line = Borrow();
  CURL* curl = line->curl;
  if (curl == nullptr) {
    outcome.error = Error{ErrorKind::kInternal, "libcurl does not start", "", ""};
    return outcome;
  }
  curl_easy_reset(curl);  // keeps the connection
  curl_slist_free_all(line->headers);
  line->headers = nullptr;
  line->why[0] = '\0';
  for (const char* text : {"Expect:", "Content-Type:", "Accept:"}) line->headers = curl_slist_append(line->headers, text);
  for (const auto& [name, value] : request.headers) {
    // libcurl takes "name:" as "do not send", and "name;" as an empty value.
    line->headers = curl_slist_append(line->headers, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "caudal/" CAUDAL_VERSION);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, line->headers);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(x_options.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(x_options.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(x_options.stall.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, line->why);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &outcome.reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &outcome.reply);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
  if (!x_options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, x_options.ca_file.c_str());
  HeldBody held{request.body, request.before_last_byte};
  if (request.before_last_byte) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnHeldBody);
    curl_easy_setopt(curl, CURLOPT_READDATA, &held);
  } else if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    outcome.error = ErrorOf(code, line->why, request.url);
    outcome.may_have_arrived = !NeverArrived(code);
    return outcome;  // and the connection is closed with the line
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  long connections = 0;
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
  outcome.sent_twice = line->connected && connections > 0;
  line->connected = true;
  outcome.reply.status = static_cast<int>(status);
  outcome.answered = true;
  GiveBack(std::move(line));
  return outcome;
}

}  // namespace caudal
