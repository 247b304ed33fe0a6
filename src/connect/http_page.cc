#include "connect/http_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "connect/json_outline.h"
#include "connect/paginator.h"

namespace caudal {
namespace {

std::string KindOfBody(const std::string& asked, const HttpAnswer& answer) {
  if (asked != "auto") return asked;
  const std::string type = answer.Header("content-type");
  if (type.find("ndjson") != std::string::npos || type.find("jsonl") != std::string::npos) return "ndjson";
  if (type.find("csv") != std::string::npos) return "csv";
  return "json";
}

bool HasEmptyArray(const Json& body) {
  if (!body.is_object()) return false;
  return std::any_of(body.begin(), body.end(), [](const Json& member) { return member.is_array() && member.empty(); });
}

}  // namespace

HttpPageReader::HttpPageReader(const HttpEndpoint& endpoint, bool needs_records, bool child)
    : x_asked(endpoint.format()), x_needs_records(needs_records), x_child(child), x_has_selector(endpoint.selector().has_value()) {
  if (x_has_selector) x_selector = *endpoint.selector();
}

bool HttpPageReader::flat() const { return std::find(x_selector.begin(), x_selector.end(), "*") == x_selector.end(); }

Result<HttpPage> HttpPageReader::Read(const HttpAnswer& answer) {
  const std::string place = PublicUrl(answer.url);
  if (answer.status == 204) return HttpPage{};
  const std::string kind = KindOfBody(x_asked, answer);
  const std::size_t first = answer.body.find_first_not_of(" \t\r\n");
  const bool page = answer.Header("content-type").find("html") != std::string::npos ||
                    (kind != "csv" && first != std::string::npos && answer.body[first] == '<');
  if (page) {
    return Error{ErrorKind::kPermission, "the server answers with a web page instead of data, as for a login: " + place,
                 "check `auth:` of the client, base_url and `path:`", ""};
  }
  if (x_kind.empty()) x_kind = kind;
  if (kind != x_kind) {
    return Error{ErrorKind::kCorruption, fmt::format("a page is {}, the ones before were {}: {}", kind, x_kind, place),
                 "write `format:` of the endpoint, or correct `paginator:`", ""};
  }
  return kind == "json" ? ReadJson(answer, place) : ReadLines(answer, place);
}

Result<HttpPage> HttpPageReader::ReadJson(const HttpAnswer& answer, const std::string& place) {
  HttpPage page;
  if (x_has_selector && !x_needs_records && flat()) {
    if (std::optional<JsonOutline> outline = OutlineOf(answer.body, x_selector)) {
      page.body = std::move(outline->rest);
      page.count = outline->records;
      return page;
    }
  }
  TRY_ASSIGN(Json parsed, ParseJson(answer.body, place));
  page.body = std::make_shared<const Json>(std::move(parsed));
  const Json& body = *page.body;
  if (!x_has_selector) {
    x_selector = GuessSelector(body);
    if (x_child && x_selector.empty() && HasEmptyArray(body)) {
      return Error{ErrorKind::kInvalidArgument, "it cannot be told from an empty page where the records are: " + place,
                   "write `data_selector:` of the stream", ""};
    }
    x_has_selector = true;
  }
  auto records = SelectRecords(body, x_selector);
  if (!records) {
    std::vector<std::string> members;
    if (body.is_object()) {
      for (const auto& [name, value] : body.items()) members.push_back(name);
    }
    return Error{ErrorKind::kInvalidArgument,
                 fmt::format("there is nothing at the data selector {} (members at the top: {}): {}",
                             fmt::join(x_selector, "."), fmt::join(members, ", "), place),
                 "correct `data_selector:` of the stream", ""};
  }
  page.records = *std::move(records);
  page.count = static_cast<std::int64_t>(page.records.size());
  return page;
}

Result<HttpPage> HttpPageReader::ReadLines(const HttpAnswer& answer, const std::string& place) const {
  HttpPage page;
  const auto lines = std::count(answer.body.begin(), answer.body.end(), '\n');
  const bool open_end = !answer.body.empty() && answer.body.back() != '\n';
  page.count = std::max<std::int64_t>(0, lines + (open_end ? 1 : 0) - (x_kind == "csv" ? 1 : 0));
  if (!x_needs_records) return page;
  if (x_kind == "csv") {
    return Error{ErrorKind::kUnsupported, "a cursor, and streams below this one, need JSON or NDJSON, and this is CSV: " + place,
                 "take `incremental` out, or ask for JSON", ""};
  }
  Json all = Json::array();
  for (std::size_t at = 0; at < answer.body.size();) {
    const std::size_t end = std::min(answer.body.find('\n', at), answer.body.size());
    Json record = Json::parse(std::string_view(answer.body).substr(at, end - at), nullptr, false);
    if (!record.is_discarded()) all.push_back(std::move(record));  // a broken line is rejected where rows are made
    at = end + 1;
  }
  page.body = std::make_shared<const Json>(std::move(all));
  for (const Json& record : *page.body) page.records.push_back(&record);
  return page;
}

}  // namespace caudal
