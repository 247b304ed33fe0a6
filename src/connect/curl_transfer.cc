#include "connect/curl_transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace caudal {
namespace {

struct Running {
  const CurlRequest* request = nullptr;
  const PlaceAccess* access = nullptr;
  const TakeBytes* take = nullptr;
  CURL* curl = nullptr;
  CurlReply reply;
  std::optional<Error> refused;  // what `take` said
  std::int64_t given = 0;
  bool enough = false;
  bool http = false;
  std::string range;  // "100-"
};

std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* run = static_cast<Running*>(user);
  std::string_view piece(bytes, size * count);
  if (run->http) {
    long status = 0;
    curl_easy_getinfo(run->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206) return piece.size();  // the page of an error
    // A server that knows no ranges begins at the front again.
    const std::int64_t skip = status == 200 ? std::max<std::int64_t>(0, run->request->from - run->given) : 0;
    if (skip > 0) {
      const std::size_t n = std::min(piece.size(), static_cast<std::size_t>(skip));
      run->given += static_cast<std::int64_t>(n);
      piece.remove_prefix(n);
    }
  }
  if (run->request->at_most > 0) {
    piece = piece.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(0, run->request->at_most - run->given)));
  }
  if (!piece.empty()) {
    const Status taken = (*run->take)(piece);
    if (!taken) run->refused = taken.error();
  }
  run->given += static_cast<std::int64_t>(piece.size());
  run->enough = run->request->at_most > 0 && run->given >= run->request->at_most;
  return run->refused || run->enough ? CURL_WRITEFUNC_ERROR : size * count;
}

std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* run = static_cast<Running*>(user);
  std::string line(bytes, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (!run->http) {
    if (line.size() > 3 && line[3] == ' ') run->reply.said = line;
    return size * count;
  }
  if (line.starts_with("HTTP/")) run->reply.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return size * count;
  std::string name = line.substr(0, colon);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t value = line.find_first_not_of(" \t", colon + 1);
  run->reply.headers[name] = value == std::string::npos ? "" : line.substr(value);
  return size * count;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* run = static_cast<const Running*>(user);
  return run->access->cancelled && run->access->cancelled() ? 1 : 0;
}

class Transfer final : public CurlTransfer {
 public:
  Transfer(PlaceUrl url, PlaceAccess access, std::string schemes)
      : x_url(std::move(url)), x_access(std::move(access)), x_schemes(std::move(schemes)), x_curl(curl_easy_init()) {}
  ~Transfer() override { curl_easy_cleanup(x_curl); }
  bool ready() const { return x_curl != nullptr; }

  Result<CurlReply> Run(const CurlRequest& request, const TakeBytes& take) override {
    Running run;
    run.request = &request;
    run.access = &x_access;
    run.take = &take;
    run.curl = x_curl;
    run.http = x_url.scheme.starts_with("http");
    run.range = std::to_string(request.from) + "-";
    curl_slist* commands = nullptr;
    for (const std::string& command : request.after) commands = curl_slist_append(commands, command.c_str());
    char why[CURL_ERROR_SIZE] = {};
    SetUp(request, commands, run, why);
    const CURLcode code = curl_easy_perform(x_curl);
    x_fresh = code != CURLE_OK;
    curl_slist_free_all(commands);
    if (run.refused) return *run.refused;
    if (code != CURLE_OK && !run.enough) return Broken(code, why, run);
    Describe(run.reply);
    return std::move(run.reply);
  }

 private:
  void SetUp(const CurlRequest& request, curl_slist* commands, Running& run, char* why) const {
    const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(x_curl, option, value); };
    curl_easy_reset(x_curl);
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, x_schemes.c_str());
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_FRESH_CONNECT, x_fresh ? 1L : 0L);  // FTP: nobody knows which answers of a failed request are still to come
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_USERAGENT, "caudal/" CAUDAL_VERSION);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(x_access.connect_timeout.count()));
    // A large file may take hours; what may not is silence.
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, std::max<long>(1, static_cast<long>(x_access.timeout.count() / 1000)));
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max<long>(1, static_cast<long>(x_access.timeout.count() / 1000)));
    set(CURLOPT_ERRORBUFFER, why);
    set(CURLOPT_WRITEFUNCTION, OnBody);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&run));
    set(CURLOPT_HEADERFUNCTION, OnHeader);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&run));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, OnProgress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(&run));
    set(CURLOPT_FILETIME, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    if (!x_access.user.empty()) set(CURLOPT_USERNAME, x_access.user.c_str());
    if (!x_access.password.empty()) set(CURLOPT_PASSWORD, x_access.password.c_str());
    if (!x_access.ca_file.empty()) set(CURLOPT_CAINFO, x_access.ca_file.c_str());
    if (x_url.scheme == "ftps") set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    if (request.head || commands != nullptr) set(CURLOPT_NOBODY, 1L);
    if (commands != nullptr) set(CURLOPT_QUOTE, commands);
    if (!request.command.empty()) set(CURLOPT_CUSTOMREQUEST, request.command.c_str());
    // libcurl would call it an error where an HTTP server knows no ranges; OnBody skips what is known then.
    if (request.from > 0 && run.http) set(CURLOPT_RANGE, run.range.c_str());
    if (request.from > 0 && !run.http) set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(request.from));
  }

  void Describe(CurlReply& reply) const {
    long status = 0;
    curl_easy_getinfo(x_curl, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    const char* entry = nullptr;
    if (curl_easy_getinfo(x_curl, CURLINFO_FTP_ENTRY_PATH, &entry) == CURLE_OK && entry != nullptr) reply.entry = entry;
    curl_off_t size = -1;
    if (curl_easy_getinfo(x_curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size) == CURLE_OK) reply.size_bytes = size;
    curl_off_t time = -1;
    if (curl_easy_getinfo(x_curl, CURLINFO_FILETIME_T, &time) == CURLE_OK && time > 0) reply.modified_us = time * 1'000'000;
  }

  Error Broken(CURLcode code, const char* why, const Running& run) const {
    const std::string place = x_url.Server();
    const std::string& said = run.reply.said;
    switch (code) {
      case CURLE_ABORTED_BY_CALLBACK: return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      case CURLE_LOGIN_DENIED:
        return Error{ErrorKind::kPermission, fmt::format("{} refuses the user {} or the password", place, x_access.user.empty() ? "anonymous" : x_access.user),
                     "correct `user:`, or the secret behind `password:`", ""};
      case CURLE_PEER_FAILED_VERIFICATION:
        return Error{ErrorKind::kPermission, fmt::format("the certificate of {} is not trusted: {}", place, why),
                     "name the authority that signed it as `ca_file:`, or correct the host in `location:`", ""};
      case CURLE_SSL_CACERT_BADFILE: return Error{ErrorKind::kInvalidArgument, "cannot read `ca_file:` " + x_access.ca_file, "correct its path", ""};
      case CURLE_USE_SSL_FAILED:
        return Error{ErrorKind::kPermission, place + " offers no TLS", "have it set up there, or write ftp:// if files and password may be read on their way", ""};
      case CURLE_REMOTE_FILE_NOT_FOUND:
      case CURLE_REMOTE_ACCESS_DENIED:
      case CURLE_FTP_COULDNT_RETR_FILE:
      case CURLE_QUOTE_ERROR: return Refused(said.empty() ? why : said);
      case CURLE_OPERATION_TIMEDOUT:
        return Error{ErrorKind::kTimeout, fmt::format("the server does not answer: {}: {}", place, why), "see whether it is well, or raise `timeout`", ""};
      case CURLE_COULDNT_RESOLVE_HOST:
        return Error{ErrorKind::kUnavailable, "the host has no address: " + place, "correct the host in `location:`, or mend name resolution", ""};
      default: break;
    }
    const char* text = why[0] != '\0' ? why : curl_easy_strerror(code);
    return Error{ErrorKind::kUnavailable, fmt::format("cannot reach {}, or the connection broke: {}", place, text),
                 "see whether the server runs and whether host and port in `location:` are right", ""};
  }

  /// FTP has one number, 550, for what is not there and for what one may not have.
  Error Refused(const std::string& said) const {
    std::string lower = said;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool forbidden = lower.find("permission") != std::string::npos || lower.find("denied") != std::string::npos ||
                           lower.find("not enough privileges") != std::string::npos || lower.find("forbidden") != std::string::npos;
    const std::string message = fmt::format("{} answers: {}", x_url.Server(), said);
    if (forbidden) return Error{ErrorKind::kPermission, message, "have the right given to that user there", ""};
    if (lower.starts_with("4")) return Error{ErrorKind::kUnavailable, message, "try again later", ""};
    return Error{ErrorKind::kNotFound, message, "correct `location:` of the source", ""};
  }

  const PlaceUrl x_url;
  const PlaceAccess x_access;
  const std::string x_schemes;
  CURL* x_curl;
  bool x_fresh = false;
};

}  // namespace

Result<std::unique_ptr<CurlTransfer>> CurlTransfer::Make(PlaceUrl url, PlaceAccess access, std::string schemes) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto transfer = std::make_unique<Transfer>(std::move(url), std::move(access), std::move(schemes));
  if (started == CURLE_OK && transfer->ready()) return std::unique_ptr<CurlTransfer>(std::move(transfer));
  return Error{ErrorKind::kInternal, "libcurl does not start", "", ""};
}

std::string EncodedPath(std::string_view path) {
  std::string out;
  for (const char raw : path) {
    const auto c = static_cast<unsigned char>(raw);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
                       c == '~' || c == '/' || c == '=';
    out += plain ? std::string(1, raw) : fmt::format("%{:02X}", c);
  }
  return out;
}

}  // namespace caudal
