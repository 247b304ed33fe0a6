#include "connect/http_spec.h"

#include "connect/options.h"

namespace caudal {
namespace {

// Option after option, not in one braced list: the sanitizers need minutes for that.
OptionSpec& Add(std::vector<OptionSpec>& to, const char* name, OptionType type, const char* fallback,
                const char* description) {
  return to.emplace_back(MakeOption(name, type, fallback, description));
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
  text("offset_body_path", "offset: the member of a POST's body, in place of the parameter");
  text("limit_param", "offset: the parameter; limit, if not given");
  text("limit_body_path", "offset: the member of a POST's body, in place of the parameter");
  number("maximum_offset", "offset: no further than this", 1);
  number("base_page", "page_number: the first one; 0, if not given", 0);
  text("page_param", "page_number: the parameter; page, if not given");
  text("page_body_path", "page_number: the member of a POST's body, in place of the parameter");
  number("maximum_page", "page_number: no further than this", 1);
  text("total_path", "offset, page_number: path to the number of records, of pages; total and total_pages, if not given");
  text("has_more_path", "offset, page_number, cursor: path to a value that is false on the last page");
  Add(pages, "stop_after_empty_page", OptionType::kBoolean, "true", "offset, page_number: a page without records is the last");
  Add(pages, "on_shrink", OptionType::kString, "retry", "offset, page_number: where the total shrinks while pages are read: try the whole read again, or accept")
      .choices = {"retry", "accept"};
  text("cursor_path", "cursor: path to the next cursor; cursors.next, if not given");
  text("cursor_param", "cursor: the parameter; cursor, if not given");
  text("cursor_body_path", "cursor: the member of a POST's body, in place of the parameter");
}

void AddAuth(std::vector<OptionSpec>& to) {
  auto& auth = Add(to, "auth", OptionType::kObject, "", "Credentials; they go to base_url's host alone").members;
  OptionSpec& kind = Add(auth, "type", OptionType::kString, "none", "Kind");
  kind.choices = {"none", "bearer", "basic", "api_key", "oauth2_client_credentials"};
  kind.needs = {{"bearer", {"token"}},
                {"basic", {"username", "password"}},
                {"api_key", {"api_key"}},
                {"oauth2_client_credentials", {"access_token_url", "client_id", "client_secret"}}};
  Add(auth, "token", OptionType::kString, "", "bearer").secret = true;
  Add(auth, "username", OptionType::kString, "", "basic");
  Add(auth, "password", OptionType::kString, "", "basic").secret = true;
  Add(auth, "api_key", OptionType::kString, "", "api_key").secret = true;
  Add(auth, "name", OptionType::kString, "", "api_key: header or parameter; Authorization, if not given");
  Add(auth, "location", OptionType::kString, "header", "api_key: where it is sent").choices = {"header", "query"};
  Add(auth, "access_token_url", OptionType::kUrl, "", "oauth2_client_credentials: where tokens are given");
  Add(auth, "client_id", OptionType::kString, "", "oauth2_client_credentials");
  Add(auth, "client_secret", OptionType::kString, "", "oauth2_client_credentials").secret = true;
  Add(auth, "access_token_request_data", OptionType::kStringMap, "", "oauth2_client_credentials: more of the form, such as scope");
  Add(auth, "default_token_expiration", OptionType::kInteger, "3600", "oauth2_client_credentials: seconds, where the server says none").least = 1;
  Add(auth, "token_endpoint_auth_method", OptionType::kString, "client_secret_post", "oauth2_client_credentials: the secret goes in the form, or as basic authentication")
      .choices = {"client_secret_post", "client_secret_basic"};
}

void AddClient(std::vector<OptionSpec>& to) {
  OptionSpec& client = Add(to, "client", OptionType::kObject, "", "How the API is reached");
  client.required = true;
  auto& members = client.members;
  Add(members, "base_url", OptionType::kUrl, "", "Where the paths of the streams begin").required = true;
  Add(members, "headers", OptionType::kStringMap, "", "Sent with each request, to base_url's host alone").form = OptionForm::kLine;
  AddAuth(members);
  AddPaginator(members);
  Add(members, "timeout", OptionType::kDuration, "60s", "For one request").least = 1;
  Add(members, "connect_timeout", OptionType::kDuration, "10s", "For reaching the server").least = 1;
  Add(members, "read_timeout", OptionType::kDuration, "30s", "Without a byte").least = 1;
  Add(members, "total_timeout", OptionType::kDuration, "", "For one stream's whole read; none, if not given").least = 1;
  Add(members, "max_wait", OptionType::kDuration, "2m", "A request waits so long in all for a server that asks for patience (429, Retry-After)");
  OptionSpec& second = Add(members, "requests_per_second", OptionType::kInteger, "", "Of one stream, evenly spaced; no limit, if not given");
  second.least = 1;
  second.most = 1'000'000;
  second.excludes = {"requests_per_minute"};
  OptionSpec& minute = Add(members, "requests_per_minute", OptionType::kInteger, "", "The same, for slower servers");
  minute.least = 1;
  minute.most = 1'000'000;
  OptionSpec& parallel = Add(members, "parallel_requests", OptionType::kInteger, "4", "At once, of one stream: pages that are known to come, children of a parent");
  parallel.least = 1;
  parallel.most = 32;
  Add(members, "max_page_bytes", OptionType::kSize, "32MB", "A larger answer is refused").least = 1;
  Add(members, "max_read_bytes", OptionType::kSize, "16GB", "A stream that gives more in one read is refused").least = 1;
  Add(members, "max_pages", OptionType::kInteger, "100000", "More pages of one stream, or of one child, are refused").least = 1;
  Add(members, "allow_private", OptionType::kBoolean, "false", "base_url and access_token_url may be private or local addresses");
}

void AddEndpoint(std::vector<OptionSpec>& to) {
  auto& endpoint = Add(to, "endpoint", OptionType::kObject, "", "What of the API the stream is").members;
  Add(endpoint, "path", OptionType::kString, "", "Below base_url; the stream's name, if not given; {resources.orders.id} is a value of a parent's record");
  Add(endpoint, "method", OptionType::kString, "", "GET; POST, if there is `json`").choices = {"GET", "POST"};
  Add(endpoint, "params", OptionType::kObject, "",
      "Query parameters; one may be {type: incremental, cursor_path: .., initial_value: ..}, others {type: resolve, resource: .., field: ..}");
  Add(endpoint, "json", OptionType::kObject, "", "The body of a POST");
  Add(endpoint, "data_selector", OptionType::kString, "", "Path to the array of records; found, if not given");
  AddPaginator(endpoint);
  Add(endpoint, "format", OptionType::kString, "auto", "Of the bodies; auto: by the content type").choices = {
      "auto", "json", "ndjson", "csv"};
  auto& since = Add(endpoint, "incremental", OptionType::kObject, "", "Only what is new").members;
  Add(since, "cursor_path", OptionType::kString, "", "Path to the growing value in a record").required = true;
  Add(since, "start_param", OptionType::kString, "", "Parameter that gets the cursor's last value");
  Add(since, "end_param", OptionType::kString, "", "Parameter that gets the end");
  Add(since, "initial_value", OptionType::kString, "", "Before the first read");
  Add(since, "end_value", OptionType::kString, "", "The end; with end_param the time of the read, if not given");
  Add(since, "lag", OptionType::kString, "", "How far before the last value the next read begins: a duration, or a number");
}

}  // namespace

ConnectorSpec HttpSpec() {
  ConnectorSpec spec;
  spec.name = "http";
  spec.summary = "Pages of an HTTP API: JSON, NDJSON or CSV bodies, by GET or POST";
  spec.shape = SourceShape::kBytes;
  spec.network = true;
  spec.may_repeat = true;
  spec.delivery = "at least once: records at the cursor's last value come again, and a key makes them one";
  AddClient(spec.options);
  AddEndpoint(spec.stream_options);
  Add(spec.stream_options, "include_from_parent", OptionType::kStringList, "", "Fields of the parent's record for each record: _orders_id, and so on");
  return spec;
}

}  // namespace caudal
