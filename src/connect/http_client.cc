#include "connect/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/clock.h"
#include "connect/http_address.h"
#include "connect/http_answer.h"
#include "connect/http_auth.h"

namespace caudal {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{20};  // how soon a cancelled read ends

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

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Clear() {
    curl_slist_free_all(list);
    list = nullptr;
  }
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

/// One request from its beginning to its answer, over all its tries and redirects; also one transfer, as libcurl's
/// callbacks see it.
struct Flight {
  enum class State { kWaiting, kRunning, kDone };
  HttpRequest request;
  State state = State::kWaiting;
  std::optional<Result<HttpAnswer>> result;  // kDone
  std::string url;                           // after redirects
  int hop = 0;
  int attempt = 1;
  int busy = 0;  // how often the server asked for patience
  bool renewed = false;
  milliseconds waited{0};
  Steady::time_point wake{};
  // kRunning
  CURL* curl = nullptr;
  HeaderList lines;
  std::map<std::string, std::string> proof;  // what the auth gave for this transfer
  char why[CURL_ERROR_SIZE] = {};
  HttpAnswer answer;
  Steady::time_point last_byte{};
  std::int64_t max_bytes = 0;
  bool home = false;
  bool may_be_private = false;
  bool too_large = false;
  bool was_private = false;
};

std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* flight = static_cast<Flight*>(user);
  flight->last_byte = Steady::now();
  if (static_cast<std::int64_t>(flight->answer.body.size() + size * count) > flight->max_bytes) {
    flight->too_large = true;
    return 0;
  }
  flight->answer.body.append(bytes, size * count);
  return size * count;
}

std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* flight = static_cast<Flight*>(user);
  flight->last_byte = Steady::now();
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) flight->answer.headers.clear();  // behind a 100
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string& value = flight->answer.headers[Lower(std::string(line.substr(0, colon)))];
  value += (value.empty() ? "" : ", ") + Trimmed(line.substr(colon + 1));
  return line.size();
}

curl_socket_t OnOpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* flight = static_cast<Flight*>(user);
  // The address that is connected to, not a name that may change in between.
  if (!flight->may_be_private && IsPrivateAddress(&address->addr)) {
    flight->was_private = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : x_options(std::move(options)), x_multi(curl_multi_init()) {
    if (x_options.total_timeout) x_end = Steady::now() + *x_options.total_timeout;
    curl_multi_setopt(x_multi, CURLMOPT_MAXCONNECTS, static_cast<long>(x_options.lanes + 1));
  }
  ~CurlClient() override {
    for (auto& [ticket, flight] : x_flights) Land(*flight);
    for (CURL* curl : x_idle) curl_easy_cleanup(curl);
    curl_multi_cleanup(x_multi);
  }
  bool ready() const { return x_multi != nullptr; }

  Ticket Start(HttpRequest request) override {
    auto flight = std::make_unique<Flight>();
    flight->url = request.url;
    flight->request = std::move(request);
    x_flights[++x_last] = std::move(flight);
    Begin();
    int running = 0;
    curl_multi_perform(x_multi, &running);  // on the wire while the caller does something else
    return x_last;
  }

  void Drop(Ticket ticket) override {
    const auto found = x_flights.find(ticket);
    if (found == x_flights.end()) return;
    Land(*found->second);
    x_flights.erase(found);
  }

  Result<HttpAnswer> Finish(Ticket ticket) override {
    const auto found = x_flights.find(ticket);
    CHECK(found != x_flights.end(), "each ticket is finished once");
    Flight& flight = *found->second;
    while (flight.state != Flight::State::kDone) {
      if (x_options.cancelled && x_options.cancelled()) {
        Drop(ticket);
        return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      }
      if (x_end && Steady::now() >= *x_end) {
        const std::string place = PublicUrl(flight.url);
        Drop(ticket);
        return Error{ErrorKind::kTimeout, Hidden(fmt::format("the read did not end within total_timeout ({}): {}",
                                                             FormatDuration(*x_options.total_timeout), place)),
                     "raise `total_timeout`, or read less at a time", ""};
      }
      Step();
    }
    Result<HttpAnswer> result = *std::move(flight.result);
    x_flights.erase(found);
    return result;
  }

 private:
  std::string Hidden(std::string text) const {
    text = Redacted(std::move(text), x_options.secrets);
    return x_options.auth == nullptr ? text : Redacted(std::move(text), x_options.auth->secrets());
  }
  bool HoldsSecrets() const {
    return !x_options.secrets.empty() || (x_options.auth != nullptr && !x_options.auth->secrets().empty());
  }

  /// Sends what is due, the oldest first.
  void Begin() {
    const auto now = Steady::now();
    for (auto& [ticket, flight] : x_flights) {
      if (x_running >= x_options.lanes || now < x_not_before) return;
      if (flight->state != Flight::State::kWaiting || now < flight->wake) continue;
      x_not_before = std::max(x_not_before, now + x_options.spacing);
      Launch(*flight);
    }
  }

  void Step() {
    Begin();
    int running = 0;
    curl_multi_perform(x_multi, &running);
    bool landed = false;
    for (int left = 0; CURLMsg* message = curl_multi_info_read(x_multi, &left);) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      char* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      End(*reinterpret_cast<Flight*>(self), code);
      landed = true;
    }
    if (landed) return Begin();
    for (auto& [ticket, flight] : x_flights) {
      const bool still = flight->state == Flight::State::kRunning && Steady::now() - flight->last_byte > x_options.read_timeout;
      if (still) Fail(*flight, Error{ErrorKind::kTimeout, fmt::format("no byte came for {}: {}", FormatDuration(x_options.read_timeout), PublicUrl(flight->url)),
                                     "raise `read_timeout`, or have the server mended", ""}, HttpAgain{true, false, milliseconds(-1)});
    }
    milliseconds pause = kTick;
    const auto due = [&](Steady::time_point at) {
      pause = std::clamp(std::chrono::ceil<milliseconds>(at - Steady::now()), milliseconds(1), pause);
    };
    if (x_not_before > Steady::now()) due(x_not_before);
    curl_multi_poll(x_multi, nullptr, 0, static_cast<int>(pause.count()), nullptr);
  }

  void Launch(Flight& flight) {
    flight.home = SameOrigin(flight.url, x_options.origin_url);
    flight.may_be_private = x_options.allow_private && flight.home;
    flight.proof.clear();
    if (flight.home && x_options.auth != nullptr) {
      Result<std::map<std::string, std::string>> proof = x_options.auth->Headers();
      if (!proof) return Done(flight, std::move(proof).error());
      flight.proof = *std::move(proof);
    }
    flight.lines.Clear();
    flight.lines.Add("Accept-Encoding: gzip, deflate");
    flight.lines.Add("Expect:");
    const auto add = [&](const std::map<std::string, std::string>& map) {
      for (const auto& [name, value] : map) flight.lines.Add(name + ": " + value);
    };
    if (flight.request.post) flight.lines.Add("Content-Type: " + flight.request.content_type);
    if (flight.home) {
      add(x_options.headers);
      add(flight.request.headers);
      add(flight.proof);
    }
    flight.answer = HttpAnswer{};
    flight.max_bytes = x_options.max_bytes;
    flight.too_large = flight.was_private = false;
    flight.why[0] = '\0';
    flight.last_byte = Steady::now();
    if (x_idle.empty()) x_idle.push_back(curl_easy_init());
    flight.curl = x_idle.back();
    x_idle.pop_back();
    if (flight.curl == nullptr) return Done(flight, Error{ErrorKind::kInternal, "libcurl does not start", "", ""});
    SetUp(flight);
    curl_multi_add_handle(x_multi, flight.curl);
    flight.state = Flight::State::kRunning;
    ++x_running;
  }

  void SetUp(Flight& flight) const {
    CURL* const curl = flight.curl;
    const std::string url = flight.home && x_options.auth != nullptr ? x_options.auth->Signed(flight.url) : flight.url;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, &flight);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "caudal/" CAUDAL_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, flight.lines.list);
    if (flight.request.post) {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(flight.request.body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, flight.request.body.c_str());  // not copied; lives as long as the flight
    }
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(x_options.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(x_options.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, flight.why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &flight);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &flight);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &flight);
  }

  /// Gives the transfer's handle back; its connection stays open for the next.
  void Land(Flight& flight) {
    if (flight.curl == nullptr) return;
    curl_multi_remove_handle(x_multi, flight.curl);
    x_idle.push_back(flight.curl);
    flight.curl = nullptr;
    --x_running;
  }

  static void Done(Flight& flight, Result<HttpAnswer> result) {
    flight.result = std::move(result);
    flight.state = Flight::State::kDone;
  }

  /// Tries again later, or gives up.
  void Fail(Flight& flight, Error error, const HttpAgain& again) {
    Land(flight);
    error.message = Hidden(std::move(error.message));
    const bool patient = again.busy && x_options.tries > 1;
    if (!again.again || (!patient && flight.attempt >= x_options.tries)) return Done(flight, std::move(error));
    const milliseconds pause = PauseBefore(patient ? ++flight.busy : flight.attempt, again);
    flight.waited += pause;
    if (flight.waited > x_options.longest_wait) return Done(flight, std::move(error));
    if (!patient) ++flight.attempt;
    flight.state = Flight::State::kWaiting;
    flight.url = flight.request.url;
    flight.hop = 0;
    flight.wake = Steady::now() + pause;
    if (patient) x_not_before = std::max(x_not_before, flight.wake);  // the server means all of us
  }

  void End(Flight& flight, CURLcode code) {
    if (code != CURLE_OK) {
      HttpAgain again;
      Error error = Broken(code, flight, again);
      return Fail(flight, std::move(error), again);
    }
    long status = 0;
    curl_easy_getinfo(flight.curl, CURLINFO_RESPONSE_CODE, &status);
    Land(flight);
    flight.answer.status = static_cast<int>(status);
    flight.answer.url = flight.url;
    if (const Status decoded = DecodeBody(flight.answer, x_options.max_bytes); !decoded) {
      const bool cut = decoded.error().kind == ErrorKind::kCorruption;
      return Fail(flight, decoded.error(), HttpAgain{cut, false, milliseconds(-1)});
    }
    if (status >= 300 && status < 400 && status != 304 && !flight.answer.Header("location").empty()) {
      const Status turned = Turn(flight, static_cast<int>(status));
      if (!turned) Fail(flight, turned.error(), HttpAgain{});
      return;
    }
    if (status == 401 && flight.home && !flight.renewed && x_options.auth != nullptr && x_options.auth->Renews(flight.proof)) {
      flight.renewed = true;
      flight.state = Flight::State::kWaiting;
      return;
    }
    HttpAgain again;
    Result<HttpAnswer> judged = JudgeAnswer(std::move(flight.answer), SystemClock().Now(), again);
    if (judged) return Done(flight, std::move(judged));
    Fail(flight, std::move(judged).error(), again);
  }

  /// Goes where a redirect points.
  Status Turn(Flight& flight, int status) const {
    if (++flight.hop > 5) {
      return Error{ErrorKind::kUnavailable, "the server redirects without end: " + PublicUrl(flight.request.url),
                   "correct base_url or `path:`", ""};
    }
    TRY_ASSIGN(const std::string next, ResolveUrl(flight.url, flight.answer.Header("location")));
    const bool away = !SameOrigin(next, x_options.origin_url);
    if (away && (HoldsSecrets() || flight.request.headers.count("Authorization") != 0)) {
      return Error{ErrorKind::kPermission,
                   fmt::format("the server redirects to another place, where the credentials must not go: {} -> {}",
                               PublicUrl(flight.url), PublicUrl(next)),
                   "write that place as base_url, if it is right", ""};
    }
    if (flight.url.starts_with("https://") && next.starts_with("http://")) {
      return Error{ErrorKind::kPermission, "the server redirects from https to http: " + PublicUrl(next),
                   "write the address that it means as base_url, or have the server mended", ""};
    }
    if (flight.request.post && status != 307 && status != 308) {
      return Error{ErrorKind::kInvalidArgument,
                   fmt::format("the server redirects a POST by {}, which would lose its body: {} -> {}", status,
                               PublicUrl(flight.url), PublicUrl(next)),
                   "write the address that it means as base_url and `path:`", ""};
    }
    flight.url = next;
    flight.state = Flight::State::kWaiting;
    return {};
  }

  Error Broken(CURLcode code, const Flight& flight, HttpAgain& again) const {
    const std::string place = PublicUrl(flight.url);
    const char* const why = flight.why;
    if (flight.too_large) {
      return Error{ErrorKind::kCorruption, fmt::format("an answer has more than {} bytes: {}", x_options.max_bytes, place),
                   "ask for smaller pages, or raise `max_page_bytes`", ""};
    }
    if (flight.was_private) {
      return Error{ErrorKind::kPermission, "the address is private or local, and those are not asked: " + place,
                   flight.home ? "write `allow_private: true` for the client, if it is meant"
                               : "`allow_private` holds for base_url's own host: write that place as base_url, if it is right", ""};
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      return Error{ErrorKind::kInvalidArgument, "this is no http URL: " + place, "correct base_url or path", ""};
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
      return Error{ErrorKind::kPermission, fmt::format("the server's certificate is not trusted: {}: {}", why, place),
                   "install the authority that signed it, or correct base_url", ""};
    }
    again.again = true;
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return Error{ErrorKind::kTimeout, fmt::format("no whole answer in time: {}: {}", why, place), "raise `timeout`", ""};
    }
    const char* text = why[0] != '\0' ? why : curl_easy_strerror(code);
    return Error{ErrorKind::kUnavailable, fmt::format("the request failed: {}: {}", text, place),
                 "check that the server runs and that base_url names it; `caudal connection test` asks again", ""};
  }

  HttpOptions x_options;
  CURLM* x_multi;
  std::vector<CURL*> x_idle;
  std::map<Ticket, std::unique_ptr<Flight>> x_flights;
  Ticket x_last = 0;
  int x_running = 0;
  Steady::time_point x_not_before{};
  std::optional<Steady::time_point> x_end;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Make(HttpOptions options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto client = std::make_unique<CurlClient>(std::move(options));
  if (started == CURLE_OK && client->ready()) return std::unique_ptr<HttpClient>(std::move(client));
  return Error{ErrorKind::kInternal, "libcurl does not start", "", ""};
}

}  // namespace caudal
