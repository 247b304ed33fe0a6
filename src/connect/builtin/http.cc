// Pages of an HTTP API, by GET. Authentication: none, bearer, basic, API key. Order: as the server gives it.
// Delivery: at least once from the source (the records at the cursor come again), exactly once in a table with a key.
// Words: dlt's REST vocabulary. What each failure becomes: docs/connectors/http.md.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "base/json.h"
#include "connect/http_client.h"
#include "connect/options.h"
#include "connect/paginator.h"
#include "connect/source.h"

namespace caudal {

void Register_http(Registry& registry);

namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{256} << 20;

// Option after option, not in one braced list: the sanitizers need minutes for that.
OptionSpec& Add(std::vector<OptionSpec>& to, const char* name, OptionType type, const char* fallback,
                const char* description) {
  OptionSpec& option = to.emplace_back();
  option.name = name;
  option.type = type;
  option.default_value = fallback;
  option.description = description;
  return option;
}

void AddPaginator(std::vector<OptionSpec>& to) {
  auto& pages = Add(to, "paginator", OptionType::kObject, "", "How the next page is found").members;
  const auto text = [&](const char* name, const char* description) { Add(pages, name, OptionType::kString, "", description); };
  const auto number = [&](const char* name, const char* description, std::int64_t least) {
    Add(pages, name, OptionType::kInteger, "", description).least = least;
  };
  OptionSpec& kind = Add(pages, "type", OptionType::kString, "auto", "Kind; auto: a Link header, or a link where APIs put it");
  kind.choices = {"auto", "json_link", "header_link", "offset", "page_number", "cursor", "single_page"};
  kind.needs = {{"offset", {"limit"}}};
  text("next_url_path", "json_link: path to the next page's URL; next, if not given");
  text("links_next_key", "header_link: the relation; next, if not given");
  number("limit", "offset: records of a page", 1);
  number("offset", "offset: the first one; 0, if not given", 0);
  text("offset_param", "offset: the parameter; offset, if not given");
  text("limit_param", "offset: the parameter; limit, if not given");
  number("maximum_offset", "offset: no further than this", 1);
  number("base_page", "page_number: the first one; 0, if not given", 0);
  text("page_param", "page_number: the parameter; page, if not given");
  number("maximum_page", "page_number: no further than this", 1);
  text("total_path", "offset, page_number: path to the number of records, of pages; total and total_pages, if not given");
  text("cursor_path", "cursor: path to the next cursor; cursors.next, if not given");
  text("cursor_param", "cursor: the parameter; cursor, if not given");
}

void AddClient(std::vector<OptionSpec>& to) {
  OptionSpec& client = Add(to, "client", OptionType::kObject, "", "How the API is reached");
  client.required = true;
  Add(client.members, "base_url", OptionType::kUrl, "", "Where the paths of the streams begin").required = true;
  Add(client.members, "headers", OptionType::kStringMap, "", "Sent with each request").form = OptionForm::kLine;
  auto& auth = Add(client.members, "auth", OptionType::kObject, "", "Credentials; they go to base_url's host alone").members;
  OptionSpec& kind = Add(auth, "type", OptionType::kString, "none", "Kind");
  kind.choices = {"none", "bearer", "basic", "api_key"};
  kind.needs = {{"bearer", {"token"}}, {"basic", {"username", "password"}}, {"api_key", {"api_key"}}};
  Add(auth, "token", OptionType::kString, "", "bearer").secret = true;
  Add(auth, "username", OptionType::kString, "", "basic");
  Add(auth, "password", OptionType::kString, "", "basic").secret = true;
  Add(auth, "api_key", OptionType::kString, "", "api_key").secret = true;
  Add(auth, "name", OptionType::kString, "", "api_key: header or parameter; Authorization, if not given");
  Add(auth, "location", OptionType::kString, "header", "api_key: where it is sent").choices = {"header", "query"};
  AddPaginator(client.members);
  Add(client.members, "timeout", OptionType::kDuration, "60s", "For one request").least = 1;
  Add(client.members, "max_page_bytes", OptionType::kSize, "32MB", "A larger answer is refused").least = 1;
  Add(client.members, "max_pages", OptionType::kInteger, "100000", "More pages of one stream are refused").least = 1;
  Add(client.members, "allow_private", OptionType::kBoolean, "false", "Also private and local addresses are asked");
}

void AddEndpoint(std::vector<OptionSpec>& to) {
  auto& endpoint = Add(to, "endpoint", OptionType::kObject, "", "What of the API the stream is").members;
  Add(endpoint, "path", OptionType::kString, "", "Below base_url; the stream's name, if not given");
  Add(endpoint, "params", OptionType::kObject, "",
      "Query parameters; one may be {type: incremental, cursor_path: .., initial_value: ..}");
  Add(endpoint, "data_selector", OptionType::kString, "", "Path to the array of records; found, if not given");
  AddPaginator(endpoint);
  Add(endpoint, "format", OptionType::kString, "auto", "Of the bodies; auto: by the content type").choices = {
      "auto", "json", "ndjson", "csv"};
  auto& since = Add(endpoint, "incremental", OptionType::kObject, "", "Only what is new").members;
  Add(since, "start_param", OptionType::kString, "", "Parameter that gets the cursor's last value");
  Add(since, "cursor_path", OptionType::kString, "", "Path to the growing value in a record");
  Add(since, "initial_value", OptionType::kString, "", "Before the first read");
}

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "http";
  spec.summary = "Pages of an HTTP API: JSON, NDJSON or CSV bodies, by GET";
  spec.shape = SourceShape::kBytes;
  spec.network = true;
  spec.may_repeat = true;
  spec.delivery = "at least once: records at the cursor's last value come again, and a key makes them one";
  AddClient(spec.options);
  AddEndpoint(spec.stream_options);
  return spec;
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

/// The client's side of the options.
struct Reach {
  std::string base_url;
  HttpOptions http;
  std::string key_param;  // api_key in the query
  std::string key;
  std::int64_t max_pages = 0;
};

Result<Reach> ReachOf(const Options& options) {
  Reach reach;
  reach.base_url = options.Text("client.base_url", "");
  TRY_ASSIGN(reach.http.origin_url, ResolveUrl(reach.base_url, reach.base_url));
  reach.max_pages = options.Integer("client.max_pages", 100'000);
  reach.http.timeout = options.Duration("client.timeout", std::chrono::seconds(60));
  reach.http.max_bytes = options.Integer("client.max_page_bytes", std::int64_t{32} << 20);
  reach.http.allow_private = options.Boolean("client.allow_private", false);
  for (const auto& [name, value] : options.Map("client.headers")) {
    // What PublicUrl would hide in a query is a credential here, too.
    const bool hidden = PublicUrl("http://h/?" + name + "=1").ends_with("***") || name == "Cookie" || name == "cookie";
    (hidden ? reach.http.credentials : reach.http.headers)[name] = value;
    if (hidden) reach.http.secrets.push_back(value);
  }
  const std::string kind = options.Text("client.auth.type", "none");
  const auto needed = [&](const char* name) -> Result<std::string> {
    std::string value = options.Text(std::string("client.auth.") + name, "");
    if (!value.empty()) return value;
    return Error{ErrorKind::kInvalidArgument, fmt::format("auth of type {} needs `{}`", kind, name),
                 fmt::format("write {}: ${{NAME}}", name), ""};
  };
  if (kind == "bearer") {
    TRY_ASSIGN(const std::string token, needed("token"));
    reach.http.credentials["Authorization"] = "Bearer " + token;
    reach.http.secrets.push_back(token);
  } else if (kind == "basic") {
    TRY_ASSIGN(const std::string user, needed("username"));
    TRY_ASSIGN(const std::string password, needed("password"));
    const std::string both = Base64(user + ":" + password);
    reach.http.credentials["Authorization"] = "Basic " + both;
    reach.http.secrets.insert(reach.http.secrets.end(), {both, password});
  } else if (kind == "api_key") {
    TRY_ASSIGN(reach.key, needed("api_key"));
    reach.http.secrets.push_back(reach.key);
    const std::string name = options.Text("client.auth.name", "Authorization");
    if (options.Text("client.auth.location", "header") == "query") {
      reach.key_param = name;
    } else {
      reach.http.credentials[name] = reach.key;
    }
  }
  for (const auto* map : {&reach.http.headers, &reach.http.credentials}) {
    for (const auto& [name, value] : *map) {
      if ((name + value).find_first_of("\r\n") == std::string::npos) continue;
      return Error{ErrorKind::kInvalidArgument, "a header holds a line end: " + name,
                   "write the value, or the secret behind it, in one line", ""};
    }
  }
  return reach;
}

/// What the stream asks, with the cursor of the last commit.
struct Query {
  std::string url;  // of the first page, without the paginator's part
  std::string cursor_path;
  std::string last;  // the cursor's value so far
  std::vector<std::string> selector;
  bool has_selector = false;
  std::string format;
  Json cursor;
  std::string definition;
};

Result<Query> QueryOf(const SourceRequest& request, const Options& stream, const Reach& reach) {
  Query query;
  query.cursor = Json::object();
  if (!request.cursor.empty()) {
    TRY_ASSIGN(query.cursor, ParseJson(request.cursor, "the cursor of an http source"));
  }
  query.last = JsonString(query.cursor, "value", "");
  std::string base = reach.base_url;
  const std::string path = stream.Text("endpoint.path", request.stream);
  if (path.find("://") == std::string::npos) {
    if (!base.ends_with("/")) base += "/";
    TRY_ASSIGN(query.url, ResolveUrl(base, path.starts_with("/") ? path.substr(1) : path));
  } else {
    TRY_ASSIGN(query.url, ResolveUrl(base, path));
  }
  if (!SameOrigin(query.url, reach.base_url)) {
    return Error{ErrorKind::kPermission, "a path leads to another host than base_url: " + PublicUrl(query.url),
                 "make it a source of its own", ""};
  }
  const auto since = [&](const std::string& parameter, const std::string& cursor_path, const std::string& initial) {
    query.cursor_path = cursor_path;
    const std::string value = query.last.empty() ? initial : query.last;
    if (!value.empty() && !parameter.empty()) query.url = WithParameter(query.url, parameter, value);
    if (query.last.empty()) query.last = initial;
  };
  const Json& params = stream.At("endpoint.params");
  if (params.is_object()) {
    for (const auto& [name, value] : params.items()) {
      if (value.is_object()) {
        since(name, JsonString(value, "cursor_path", ""), JsonString(value, "initial_value", ""));
      } else {
        query.url = WithParameter(query.url, name, value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
  }
  if (stream.Has("endpoint.incremental")) {
    since(stream.Text("endpoint.incremental.start_param", ""), stream.Text("endpoint.incremental.cursor_path", ""),
          stream.Text("endpoint.incremental.initial_value", ""));
  }
  query.has_selector = stream.Has("endpoint.data_selector");
  query.selector = DottedPath(stream.Text("endpoint.data_selector", ""));
  query.format = stream.Text("endpoint.format", "auto");
  query.definition = Sha256Hex(request.stream_options + "\n" + query.url).substr(0, 16);
  return query;
}

std::string KindOfBody(const std::string& asked, const HttpAnswer& answer) {
  if (asked != "auto") return asked;
  const std::string type = answer.Header("content-type");
  if (type.find("ndjson") != std::string::npos || type.find("jsonl") != std::string::npos) return "ndjson";
  if (type.find("csv") != std::string::npos) return "csv";
  return "json";
}

/// Later of two cursor values: numbers by size, texts by bytes.
bool Later(const Json& value, const std::string& than, std::string& text) {
  text = value.is_string() ? value.get<std::string>() : value.dump();
  if (value.is_null() || value.is_structured()) return false;
  if (than.empty()) return true;
  if (value.is_number()) {
    const Json other = Json::parse(than, nullptr, false);
    if (other.is_number()) return value > other;
  }
  return text > than;
}

/// One read of one stream.
class HttpRead {
 public:
  HttpRead(Reach& reach, Query query, Paginator& pages, HttpClient& client, ChunkSink& sink)
      : x_reach(reach), x_query(std::move(query)), x_pages(pages), x_client(client), x_sink(sink) {}

  Result<ReadOutcome> Run() {
    const bool again = JsonString(x_query.cursor, "definition", "") == x_query.definition;
    std::map<std::string, std::string> condition;
    if (again) {
      if (const std::string tag = JsonString(x_query.cursor, "etag", ""); !tag.empty()) condition["If-None-Match"] = tag;
      const std::string modified = JsonString(x_query.cursor, "last_modified", "");
      if (!modified.empty()) condition["If-Modified-Since"] = modified;
    }
    std::optional<std::string> url = x_pages.First(x_query.url);
    TRY_ASSIGN(HttpAnswer answer, Ask(*url, condition));
    if (answer.status == 304) return Unchanged();
    x_etag = answer.Header("etag");
    x_modified = answer.Header("last-modified");
    const std::string digest = Sha256Hex(answer.body);
    for (std::int64_t page = 1;; ++page) {
      Result<std::optional<std::string>> next = Take(*url, answer);
      if (!next) return Public(next.error());
      if (page == 1 && !*next) {
        x_only_page = digest;
        const bool same = again && JsonString(x_query.cursor, "page_sha256", "") == digest;
        if (same || x_records == 0) return Unchanged();
      }
      TRY(Put(*url, answer));
      if (!*next) break;
      if (**next == *url) {
        return Public(Error{ErrorKind::kInvalidArgument, "the next page is the same page: " + PublicUrl(*url),
                            "correct `paginator:`", ""});
      }
      if (page >= x_reach.max_pages) {
        return Error{ErrorKind::kInvalidArgument, fmt::format("there are more than {} pages", page),
                     "raise `max_pages`, or correct `paginator:`", ""};
      }
      if (!SameOrigin(**next, x_reach.base_url)) {
        return Public(Error{ErrorKind::kPermission, "the next page is on another host: " + PublicUrl(**next),
                            "write that host as base_url, if it is right", ""});
      }
      url = *std::move(next);
      TRY_ASSIGN(answer, Ask(*url, {}));
    }
    if (x_open) TRY(x_sink.End());
    ReadOutcome outcome;
    outcome.cursor = CursorText();
    return outcome;
  }

 private:
  Error Public(Error error) const {
    error.message = Redacted(std::move(error.message), x_reach.http.secrets);
    return error;
  }

  Result<HttpAnswer> Ask(const std::string& url, const std::map<std::string, std::string>& condition) {
    if (!x_sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
    return x_client.Get(x_reach.key_param.empty() ? url : WithParameter(url, x_reach.key_param, x_reach.key), condition);
  }

  Result<ReadOutcome> Unchanged() const {
    ReadOutcome outcome;
    outcome.unchanged = true;
    outcome.cursor = DumpJson(x_query.cursor);
    return outcome;
  }

  std::string CursorText() const {
    Json cursor{{"definition", x_query.definition}};
    // With the cursor's value in the URL, the next read asks another URL: nothing is known of that one.
    if (!x_etag.empty()) cursor["etag"] = x_etag;
    if (!x_modified.empty()) cursor["last_modified"] = x_modified;
    if (!x_only_page.empty()) cursor["page_sha256"] = x_only_page;
    if (!x_query.cursor_path.empty() && !x_query.last.empty()) cursor["value"] = x_query.last;
    return DumpJson(cursor);
  }

  /// Understands a page: its records, the cursor in them, the next page.
  Result<std::optional<std::string>> Take(const std::string& url, const HttpAnswer& answer) {
    const std::string kind = KindOfBody(x_query.format, answer);
    const std::string place = PublicUrl(answer.url);
    const std::size_t first = answer.body.find_first_not_of(" \t\r\n");
    const bool page = answer.Header("content-type").find("html") != std::string::npos ||
                      (kind == "json" && first != std::string::npos && answer.body[first] == '<');
    if (page) {
      return Error{ErrorKind::kPermission, "the server answers with a web page instead of data, as for a login: " + place,
                   "check `auth:` of the client, base_url and `path:`", ""};
    }
    if (x_kind.empty()) x_kind = kind;
    if (kind != x_kind) {
      return Error{ErrorKind::kCorruption, fmt::format("a page is {}, the ones before were {}: {}", kind, x_kind, place),
                   "write `format:` of the endpoint, or correct `paginator:`", ""};
    }
    PageSeen seen;
    seen.answer = &answer;
    Json body;
    if (kind == "json" && answer.status != 204) {
      TRY_ASSIGN(body, ParseJson(answer.body, place));
      if (!x_query.has_selector) {
        x_query.selector = GuessSelector(body);
        x_query.has_selector = true;
      }
      const auto records = SelectRecords(body, x_query.selector);
      if (!records) {
        std::vector<std::string> members;
        if (body.is_object()) {
          for (const auto& [name, value] : body.items()) members.push_back(name);
        }
        return Error{ErrorKind::kInvalidArgument,
                     fmt::format("there is nothing at the data selector {} (members at the top: {}): {}",
                                 fmt::join(x_query.selector, "."), fmt::join(members, ", "), place),
                     "correct `data_selector:` of the stream", ""};
      }
      seen.body = &body;
      seen.records = static_cast<std::int64_t>(records->size());
      TRY(MoveCursor(*records, place));
    } else {
      const auto lines = std::count(answer.body.begin(), answer.body.end(), '\n');
      const bool open_end = !answer.body.empty() && answer.body.back() != '\n';
      seen.records = std::max<std::int64_t>(0, lines + (open_end ? 1 : 0) - (kind == "csv" ? 1 : 0));
    }
    x_records += seen.records;
    return x_pages.Next(url, seen);
  }

  Status MoveCursor(const std::vector<const Json*>& records, const std::string& place) {
    if (x_query.cursor_path.empty()) return {};
    bool any = records.empty();
    for (const Json* record : records) {
      const Json* value = AtPath(*record, x_query.cursor_path);
      if (value == nullptr) continue;
      any = true;
      std::string text;
      if (Later(*value, x_query.last, text)) x_query.last = text;
    }
    if (any) return {};
    return Error{ErrorKind::kInvalidArgument, fmt::format("no record has the cursor {}: {}", x_query.cursor_path, place),
                 "correct `cursor_path:`", ""};
  }

  Status Put(const std::string& url, const HttpAnswer& answer) {
    if (answer.body.empty()) return {};  // 204, or an API that has nothing more to say
    if (!x_open) {
      ChunkFormat format;
      format.kind = "pages";
      format.body = x_kind;
      format.selector = x_query.selector;
      TRY(x_sink.Begin(Redacted(PublicUrl(x_query.url), x_reach.http.secrets), format));
      x_open = true;
      x_bytes = 0;
    }
    TRY(x_sink.Append(answer.body));
    TRY(x_sink.EndPage(Redacted(PublicUrl(url), x_reach.http.secrets)));
    x_bytes += static_cast<std::int64_t>(answer.body.size());
    if (x_bytes < kChunkBytes) return {};
    x_open = false;
    return x_sink.End();
  }

  Reach& x_reach;
  Query x_query;
  Paginator& x_pages;
  HttpClient& x_client;
  ChunkSink& x_sink;
  std::string x_kind;
  std::string x_etag;
  std::string x_modified;
  std::string x_only_page;
  bool x_open = false;
  std::int64_t x_bytes = 0;
  std::int64_t x_records = 0;
};

class HttpSource final : public BytesSource {
 public:
  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(Reach reach, ReachOf(options));
    reach.http.tries = 1;
    TRY_ASSIGN(const auto client, HttpClient::Make(reach.http));
    const std::string url = reach.http.origin_url;
    const Result<HttpAnswer> answer =
        client->Get(reach.key_param.empty() ? url : WithParameter(url, reach.key_param, reach.key), {});
    // Few APIs have something at their base: any answer but a refusal says that the server is there.
    const bool there = answer || answer.error().kind == ErrorKind::kNotFound ||
                       answer.error().kind == ErrorKind::kInvalidArgument;
    return there ? Status() : Status(answer.error());
  }

  /// An API does not list what it has.
  Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) override {
    TRY(Check(request));
    return std::vector<StreamOffer>();
  }

  Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
    TRY_ASSIGN(Reach reach, ReachOf(options));
    reach.http.cancelled = [&sink] { return !sink.WantsMore(); };
    const bool own = stream.Has("endpoint.paginator");
    TRY_ASSIGN(const auto pages, own ? MakePaginator(stream, "endpoint.paginator") : MakePaginator(options, "client.paginator"));
    TRY_ASSIGN(Query query, QueryOf(request, stream, reach));
    TRY_ASSIGN(const auto client, HttpClient::Make(reach.http));
    return HttpRead(reach, std::move(query), *pages, *client, sink).Run();
  }
};

std::string NextRecords(const Json& stream_options, const Json& cursor) {
  const std::string value = JsonString(cursor, "value", "");
  if (!value.empty()) return "records from " + value + " on";
  const bool told = !JsonString(cursor, "etag", "").empty() || !JsonString(cursor, "last_modified", "").empty();
  const std::string path = JsonString(stream_options.value("endpoint", Json::object()), "path", "");
  return "all of " + (path.empty() ? "it" : path) + (told ? ", if it has changed" : "");
}

}  // namespace

void Register_http(Registry& registry) {
  registry.Add(Connector{Spec(), [] { return std::make_unique<HttpSource>(); }, nullptr, NextRecords});
}

}  // namespace caudal
