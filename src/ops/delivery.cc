#include "ops/delivery.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/hmac.h"
#include "base/ids.h"

namespace caudal {
namespace {

constexpr long kConnectMs = 10'000;
constexpr long kWholeMs = 30'000;
constexpr std::size_t kMostAnswer = 4096;

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CloseCurl>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void Append(List& list, const std::string& line) { list.reset(curl_slist_append(list.release(), line.c_str())); }

struct Exchange {
  Curl curl{curl_easy_init()};
  std::string answer;
  std::string upload;
  std::size_t uploaded = 0;
  const std::atomic<bool>* cancel = nullptr;
  char why[CURL_ERROR_SIZE] = {};
};

std::size_t OnAnswer(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  const std::size_t room = kMostAnswer - std::min(kMostAnswer, exchange->answer.size());
  exchange->answer.append(bytes, std::min(room, size * count));
  return size * count;
}

std::size_t OnUpload(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  const std::size_t part = std::min(size * count, exchange->upload.size() - exchange->uploaded);
  std::memcpy(bytes, exchange->upload.data() + exchange->uploaded, part);
  exchange->uploaded += part;
  return part;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Exchange*>(user)->cancel->load() ? 1 : 0;
}

void Prepare(Exchange& exchange, const std::string& url, const AlertChannel& channel, const std::atomic<bool>& cancel) {
  CURL* curl = exchange.curl.get();
  exchange.cancel = &cancel;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "caudal/" CAUDAL_VERSION);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kWholeMs);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange.why);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnAnswer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  if (!channel.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, channel.ca_file.c_str());
}

std::string Plain(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

Error Failed(CURLcode code, const Exchange& exchange, long status) {
  const std::string said = exchange.why[0] != '\0' ? exchange.why : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK: return Error{ErrorKind::kCancelled, "stopped while it was sent", "", ""};
    case CURLE_OPERATION_TIMEDOUT: return Error{ErrorKind::kTimeout, "no whole answer in time: " + said, "look at the server", ""};
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error{ErrorKind::kPermission, "the server's certificate is not trusted: " + said, "name the authority that signed it as ca_file", ""};
    case CURLE_LOGIN_DENIED: return Error{ErrorKind::kPermission, "the login was refused: " + said, "correct user and password", ""};
    case CURLE_USE_SSL_FAILED:
      return Error{ErrorKind::kPermission, "the server offers no STARTTLS, and nothing is sent without: " + said, "write tls: tls, or another port", ""};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Error{ErrorKind::kInvalidArgument, "the channel's address is no URL of its kind", "correct it", ""};
    default: break;
  }
  return Error{ErrorKind::kUnavailable, (status > 0 ? fmt::format("the server said {}: ", status) : std::string()) + said, "look at the server", ""};
}

Status Post(const AlertChannel& channel, const std::string& url, const std::string& body, const std::map<std::string, std::string>& headers,
            const std::atomic<bool>& cancel) {
  Exchange exchange;
  if (!exchange.curl) return Error{ErrorKind::kUnavailable, "libcurl gives no handle", "", ""};
  Prepare(exchange, url, channel, cancel);
  CURL* curl = exchange.curl.get();
  List list;
  Append(list, "Content-Type: application/json");
  Append(list, "Expect:");
  for (const auto& [name, value] : headers) Append(list, name + ": " + value);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return Failed(code, exchange, 0);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {};
  const ErrorKind kind = status == 401 || status == 403 ? ErrorKind::kPermission
                         : status >= 400 && status < 500 && status != 408 && status != 429 ? ErrorKind::kInvalidArgument
                                                                                           : ErrorKind::kUnavailable;
  return Error{kind, fmt::format("the server answered {}: {}", status, Plain(exchange.answer.substr(0, 200))), "look at the channel's url", ""};
}

Status Mail(const AlertChannel& channel, const std::map<std::string, std::string>& secrets, std::string mail, const std::atomic<bool>& cancel) {
  Exchange exchange;
  if (!exchange.curl) return Error{ErrorKind::kUnavailable, "libcurl gives no handle", "", ""};
  const bool whole = channel.tls == AlertChannel::Tls::kWhole;
  Prepare(exchange, fmt::format("{}://{}:{}", whole ? "smtps" : "smtp", channel.host, channel.port), channel, cancel);
  CURL* curl = exchange.curl.get();
  exchange.upload = std::move(mail);
  const auto secret = [&](const char* option, const std::string& plain) {
    const auto found = secrets.find(option);
    return found == secrets.end() ? plain : found->second;
  };
  const std::string user = secret("user", channel.user), password = secret("password", "");
  List to;
  for (const std::string& address : channel.to) Append(to, "<" + address + ">");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(channel.tls == AlertChannel::Tls::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  if (!user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
  }
  const std::string from = "<" + channel.from + ">";
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnUpload);
  curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return Failed(code, exchange, status);
}

/// Of a message, not of what is in it: another selection is another message to a receiver who takes each once.
std::string MessageId(const std::vector<Alert>& alerts) {
  if (alerts.size() == 1) return alerts.front().id;
  std::string ids;
  for (const Alert& alert : alerts) ids += alert.id + "\n";
  return alerts.front().id + "-" + Sha256Hex(ids).substr(0, 16);
}

}  // namespace

std::map<std::string, std::string> WebhookHeaders(const std::string& secret, const std::string& id, Timestamp now, const std::string& body) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string key = secret;
  if (secret.starts_with(kPrefix)) {
    if (auto bytes = FromBase64(std::string_view(secret).substr(kPrefix.size()))) key = *std::move(bytes);
  }
  const std::string at = std::to_string(MillisecondsOf(now) / 1000);
  std::map<std::string, std::string> headers{{"webhook-id", id}, {"webhook-timestamp", at}};
  if (!key.empty()) headers["webhook-signature"] = "v1," + ToBase64(HmacSha256(key, id + "." + at + "." + body));
  return headers;
}

Status Deliver(const AlertChannel& channel, const std::map<std::string, std::string>& secrets, const std::vector<Alert>& alerts,
               Timestamp now, const std::atomic<bool>& cancel) {
  if (alerts.empty()) return {};
  const auto send = [&]() -> Status {
    if (channel.kind == AlertChannel::Kind::kSmtp) return Mail(channel, secrets, AlertMail(channel, alerts, now), cancel);
    const auto url = secrets.find("url");
    const std::string body = AlertPayload(channel.kind, alerts);
    std::map<std::string, std::string> headers;
    if (channel.kind == AlertChannel::Kind::kWebhook) {
      const auto secret = secrets.find("secret");
      headers = WebhookHeaders(secret == secrets.end() ? "" : secret->second, MessageId(alerts), now, body);
    }
    return Post(channel, url == secrets.end() ? channel.url : url->second, body, headers, cancel);
  };
  Status sent = send();
  if (sent) return {};
  Error error = std::move(sent).error();
  for (const auto& [option, value] : secrets) {
    for (std::size_t at = value.empty() ? std::string::npos : error.message.find(value); at != std::string::npos; at = error.message.find(value)) {
      error.message.replace(at, value.size(), "***");
    }
  }
  error.message = "channel " + channel.name + ": " + error.message;
  return error;
}

}  // namespace caudal
