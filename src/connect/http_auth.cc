#include "connect/http_auth.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace caudal {
namespace {

/// The same credentials for the whole read.
class FixedAuth final : public HttpAuth {
 public:
  struct Words {
    std::map<std::string, std::string> headers;
    std::string parameter;  // of the query
    std::string key;
    std::vector<std::string> secrets;
  };
  explicit FixedAuth(Words words) : x_words(std::move(words)) {}

  Result<std::map<std::string, std::string>> Headers() override { return x_words.headers; }
  std::string Signed(const std::string& url) const override {
    return x_words.parameter.empty() ? url : WithParameter(url, x_words.parameter, x_words.key);
  }
  const std::vector<std::string>& secrets() const override { return x_words.secrets; }

 private:
  Words x_words;
};

/// OAuth2 client credentials (RFC 6749, 4.4). The words are dlt's.
class ClientCredentials final : public HttpAuth {
 public:
  struct Words {
    std::string url, id, secret;
    bool basic = false;
    std::map<std::string, std::string> data;
    std::chrono::seconds expiration{3600};
  };
  ClientCredentials(Words words, std::unique_ptr<HttpClient> client, const Clock& clock)
      : x_words(std::move(words)), x_client(std::move(client)), x_clock(clock), x_secrets{x_words.secret} {}

  Result<std::map<std::string, std::string>> Headers() override {
    // A token is renewed a little before its end: it must live until the request arrives.
    if (x_token.empty() || x_clock.Now() >= x_renew_at) TRY(Renew());
    return std::map<std::string, std::string>{{"Authorization", "Bearer " + x_token}};
  }

  bool Renews(const std::map<std::string, std::string>& refused) override {
    const auto given = refused.find("Authorization");
    // Another request may have renewed it meanwhile.
    if (given != refused.end() && given->second == "Bearer " + x_token) x_token.clear();
    return true;
  }

  const std::vector<std::string>& secrets() const override { return x_secrets; }

 private:
  Error Failed(ErrorKind kind, const std::string& what, const std::string& next) const {
    return Error{kind, Redacted("no access token: " + what, x_secrets), next, ""};
  }

  HttpRequest Question() const {
    HttpRequest request;
    request.url = x_words.url;
    request.post = true;
    request.content_type = "application/x-www-form-urlencoded";
    request.headers["Accept"] = "application/json";
    std::map<std::string, std::string> form{{"grant_type", "client_credentials"}};
    if (x_words.basic) {
      request.headers["Authorization"] = "Basic " + Base64(UrlEncoded(x_words.id) + ":" + UrlEncoded(x_words.secret));
    } else {
      form["client_id"] = x_words.id;
      form["client_secret"] = x_words.secret;
    }
    for (const auto& [name, value] : x_words.data) form[name] = value;
    for (const auto& [name, value] : form) {
      request.body += (request.body.empty() ? "" : "&") + UrlEncoded(name) + "=" + UrlEncoded(value);
    }
    return request;
  }

  Status Renew() {
    const Result<HttpAnswer> answer = x_client->Ask(Question());
    const std::string check = "check access_token_url, client_id and the secret behind client_secret";
    if (!answer) {
      // 400 is what a server says that does not know the client (RFC 6749, 5.2).
      const Error& error = answer.error();
      const bool refused = error.kind == ErrorKind::kInvalidArgument || error.kind == ErrorKind::kPermission;
      return Failed(refused ? ErrorKind::kPermission : error.kind, error.message, refused ? check : error.next);
    }
    const Json body = Json::parse(answer->body, nullptr, false);
    const auto member = [&](const char* name) { return body.is_object() && body.contains(name) ? body[name] : Json(); };
    const Json token = member("access_token");
    if (!token.is_string() || token.get<std::string>().empty()) {
      return Failed(ErrorKind::kPermission, "the answer has no access_token: " + PublicUrl(x_words.url), check);
    }
    x_token = token.get<std::string>();
    if (x_token.find_first_of("\r\n") != std::string::npos) {
      return Failed(ErrorKind::kPermission, "the access_token holds a line end: " + PublicUrl(x_words.url), check);
    }
    // Tokens that are over stay hidden as long as a message of theirs may come; a long read has many.
    if (x_secrets.size() > 4) x_secrets.erase(x_secrets.begin() + 1);
    x_secrets.push_back(x_token);
    std::int64_t lives = x_words.expiration.count();
    const Json expires = member("expires_in");
    if (expires.is_number()) lives = static_cast<std::int64_t>(expires.get<double>());
    if (expires.is_string()) lives = std::max<std::int64_t>(1, std::atoll(expires.get<std::string>().c_str()));
    lives = std::clamp<std::int64_t>(lives, 1, 10 * 365 * 86'400LL);
    x_renew_at = x_clock.Now() + std::chrono::seconds(lives) - std::chrono::milliseconds(std::min<std::int64_t>(30'000, lives * 100));
    return {};
  }

  Words x_words;
  std::unique_ptr<HttpClient> x_client;
  const Clock& x_clock;
  std::string x_token;
  Timestamp x_renew_at{};
  std::vector<std::string> x_secrets;
};

/// The options of one `auth:`.
struct AuthWords {
  const Options& options;
  const std::string& path;
  std::string kind;

  std::string Text(const char* name, const char* fallback) const { return options.Text(path + "." + name, fallback); }
  Result<std::string> Needed(const char* name) const {
    std::string value = Text(name, "");
    if (!value.empty()) return value;
    return Error{ErrorKind::kInvalidArgument, fmt::format("auth of type {} needs `{}`", kind, name),
                 fmt::format("write {}: ${{NAME}}", name), ""};
  }
};

Result<std::unique_ptr<HttpAuth>> MakeClientCredentials(const AuthWords& words, const HttpOptions& like, const Clock& clock) {
  ClientCredentials::Words said;
  TRY_ASSIGN(const std::string url, words.Needed("access_token_url"));
  TRY_ASSIGN(said.url, ResolveUrl(url, url));
  TRY_ASSIGN(said.id, words.Needed("client_id"));
  TRY_ASSIGN(said.secret, words.Needed("client_secret"));
  said.basic = words.Text("token_endpoint_auth_method", "client_secret_post") == "client_secret_basic";
  said.data = words.options.Map(words.path + ".access_token_request_data");
  said.expiration = std::chrono::seconds(std::max<std::int64_t>(1, words.options.Integer(words.path + ".default_token_expiration", 3600)));
  if (said.url.starts_with("http://") && like.origin_url.starts_with("https://")) {
    return Error{ErrorKind::kPermission, "the client's secret would go over plain http: " + PublicUrl(said.url),
                 "write access_token_url with https", ""};
  }
  HttpOptions options = like;
  options.headers.clear();
  options.auth = nullptr;
  options.origin_url = said.url;
  options.lanes = 1;
  options.total_timeout = std::nullopt;
  options.max_bytes = std::int64_t{1} << 20;
  options.secrets.push_back(said.secret);
  TRY_ASSIGN(auto client, HttpClient::Make(std::move(options)));
  return std::unique_ptr<HttpAuth>(std::make_unique<ClientCredentials>(std::move(said), std::move(client), clock));
}

}  // namespace

Result<std::unique_ptr<HttpAuth>> MakeHttpAuth(const Options& options, const std::string& path, const HttpOptions& like,
                                               const Clock& clock) {
  const AuthWords words{options, path, options.Text(path + ".type", "none")};
  if (words.kind == "oauth2_client_credentials") return MakeClientCredentials(words, like, clock);
  FixedAuth::Words fixed;
  if (words.kind == "bearer") {
    TRY_ASSIGN(const std::string token, words.Needed("token"));
    fixed.headers["Authorization"] = "Bearer " + token;
    fixed.secrets.push_back(token);
  } else if (words.kind == "basic") {
    TRY_ASSIGN(const std::string user, words.Needed("username"));
    TRY_ASSIGN(const std::string password, words.Needed("password"));
    const std::string both = Base64(user + ":" + password);
    fixed.headers["Authorization"] = "Basic " + both;
    fixed.secrets = {both, password};
  } else if (words.kind == "api_key") {
    TRY_ASSIGN(fixed.key, words.Needed("api_key"));
    fixed.secrets.push_back(fixed.key);
    const std::string name = words.Text("name", "Authorization");
    if (words.Text("location", "header") == "query") {
      fixed.parameter = name;
    } else {
      fixed.headers[name] = fixed.key;
    }
  }
  for (const auto& [name, value] : fixed.headers) {
    if ((name + value).find_first_of("\r\n") == std::string::npos) continue;
    return Error{ErrorKind::kInvalidArgument, "a header holds a line end: " + name,
                 "write the value, or the secret behind it, in one line", ""};
  }
  return std::unique_ptr<HttpAuth>(std::make_unique<FixedAuth>(std::move(fixed)));
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      three = (three << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(i + k < bytes.size() + 1 ? kDigits[(three >> (18 - 6 * k)) & 63] : '=');
    }
  }
  return out;
}

}  // namespace caudal
