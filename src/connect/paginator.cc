#include "connect/paginator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace caudal {
namespace {

std::optional<std::string> Scalar(const Json* json) {
  if (json == nullptr || json->is_null() || json->is_structured()) return std::nullopt;
  if (!json->is_string()) return *json == false ? std::nullopt : std::optional(json->dump());
  const auto& text = json->get_ref<const std::string&>();
  return text.empty() ? std::nullopt : std::optional(text);
}

/// The target of `rel` in a Link header (RFC 8288).
std::string LinkTarget(const std::string& header, const std::string& rel) {
  for (std::size_t at = 0; (at = header.find('<', at)) != std::string::npos;) {
    const std::size_t close = header.find('>', at);
    if (close == std::string::npos) return "";
    const std::size_t end = std::min(header.find('<', close), header.size());
    std::string parameters = header.substr(close, end - close);
    std::erase(parameters, ' ');
    if (parameters.find("rel=\"" + rel + "\"") != std::string::npos || parameters.find("rel=" + rel) != std::string::npos) {
      return header.substr(at + 1, close - at - 1);
    }
    at = end;
  }
  return "";
}

using Following = std::optional<HttpRequest>;

/// A link leads to a page as it is: its parameters are the server's own.
Result<Following> Resolved(const HttpRequest& request, const std::string& next) {
  HttpRequest following = request;
  TRY_ASSIGN(following.url, ResolveUrl(request.url, next));
  return Following(std::move(following));
}

/// Where a value of the paginator goes: a query parameter, or a member of the body.
struct Slot {
  std::string parameter;
  std::string body_path;  // stands before the parameter

  HttpRequest Fill(HttpRequest request, const Json& value) const {
    if (!body_path.empty()) return WithMember(std::move(request), body_path, value);
    request.url = WithParameter(request.url, parameter, value.is_string() ? value.get<std::string>() : value.dump());
    return request;
  }
};

class SinglePage final : public Paginator {
 public:
  HttpRequest First(const HttpRequest& request) override { return request; }
  Result<Following> Next(const HttpRequest&, const PageSeen&) override { return Following(); }
};

class JsonLink final : public Paginator {
 public:
  explicit JsonLink(std::string path) : x_path(std::move(path)) {}
  HttpRequest First(const HttpRequest& request) override { return request; }
  Result<Following> Next(const HttpRequest& request, const PageSeen& page) override {
    if (page.body == nullptr) return Following();
    const std::optional<std::string> next = Scalar(AtPath(*page.body, x_path));
    if (!next) return Following();
    return Resolved(request, *next);
  }

 private:
  std::string x_path;
};

class HeaderLink final : public Paginator {
 public:
  explicit HeaderLink(std::string rel) : x_rel(std::move(rel)) {}
  HttpRequest First(const HttpRequest& request) override { return request; }
  Result<Following> Next(const HttpRequest& request, const PageSeen& page) override {
    const std::string next = LinkTarget(page.answer->Header("link"), x_rel);
    if (next.empty()) return Following();
    return Resolved(request, next);
  }

 private:
  std::string x_rel;
};

/// Offset and page number: a number that grows.
class Counting final : public Paginator {
 public:
  struct Words {
    Slot at, limit_slot;
    std::string total_path, more_path;
    std::int64_t first = 0, limit = 0, maximum = 0;
    bool by_records = false;  // offset: the step is what came
    bool stop_after_empty_page = true;
    bool accept_shrinking = false;
  };
  explicit Counting(Words words) : x_words(std::move(words)), x_at(x_words.first) {}

  HttpRequest First(const HttpRequest& request) override {
    x_base = request;
    return At(x_at);
  }

  Result<Following> Next(const HttpRequest&, const PageSeen& page) override {
    TRY(LookAtTotal(page));
    if (page.records == 0 && x_words.stop_after_empty_page) return Following();
    // A server that gives fewer than `limit` each time, or more, must not make us leap over records or read them again.
    x_at += x_words.by_records && page.flat && page.records > 0 ? page.records : Step();
    const Json* more = page.body == nullptr || x_words.more_path.empty() ? nullptr : AtPath(*page.body, x_words.more_path);
    if (more != nullptr && (*more == false || *more == "false" || *more == 0)) return Following();
    if (x_words.maximum > 0 && x_at > x_words.maximum) return Following();
    if (x_total && x_at - x_words.first >= *x_total) return Following();
    return Following(At(x_at));
  }

  std::vector<HttpRequest> Ahead(std::size_t most) override {
    std::vector<HttpRequest> requests;
    if (!x_total) return requests;
    for (std::int64_t at = x_at + Step(); requests.size() < most; at += Step()) {
      if (at - x_words.first >= *x_total || (x_words.maximum > 0 && at > x_words.maximum)) break;
      requests.push_back(At(at));
    }
    return requests;
  }

  std::vector<std::string> notes() const override { return x_notes; }

 private:
  std::int64_t Step() const { return x_words.by_records ? x_words.limit : 1; }

  Status LookAtTotal(const PageSeen& page) {
    const Json* total = page.body == nullptr || x_words.total_path.empty() ? nullptr : AtPath(*page.body, x_words.total_path);
    if (total == nullptr || !total->is_number()) return {};
    const auto now = total->get<std::int64_t>();
    const std::int64_t before = x_total.value_or(now);
    x_total = now;
    if (now == before) return {};
    const std::string what = fmt::format("{} went from {} to {} while the pages were read", x_words.total_path, before, now);
    if (now < before && !x_words.accept_shrinking) {
      return Error{ErrorKind::kUnavailable, "records moved, and one may be missing: " + what,
                   "the next try reads all pages again; if it never ends, write `on_shrink: accept`, or use a cursor", ""};
    }
    x_notes = {what + (now < before ? ": a record may be missing until the next read" : ": records may have come twice")};
    return {};
  }

  HttpRequest At(std::int64_t at) const {
    HttpRequest request = x_words.limit > 0 ? x_words.limit_slot.Fill(x_base, x_words.limit) : x_base;
    return x_words.at.Fill(std::move(request), at);
  }

  Words x_words;
  HttpRequest x_base;
  std::int64_t x_at;
  std::optional<std::int64_t> x_total;
  std::vector<std::string> x_notes;
};

class CursorPages final : public Paginator {
 public:
  CursorPages(std::string path, Slot slot, std::string more_path)
      : x_path(std::move(path)), x_slot(std::move(slot)), x_more_path(std::move(more_path)) {}
  HttpRequest First(const HttpRequest& request) override { return request; }
  Result<Following> Next(const HttpRequest& request, const PageSeen& page) override {
    if (page.body == nullptr) return Following();
    const Json* more = x_more_path.empty() ? nullptr : AtPath(*page.body, x_more_path);
    if (more != nullptr && *more == false) return Following();
    const Json* cursor = AtPath(*page.body, x_path);
    if (!Scalar(cursor)) return Following();
    return Following(x_slot.Fill(request, *cursor));
  }

 private:
  std::string x_path;
  Slot x_slot;
  std::string x_more_path;
};

/// A Link header, or a link at one of the places where APIs put it.
class AutoPages final : public Paginator {
 public:
  HttpRequest First(const HttpRequest& request) override { return request; }
  Result<Following> Next(const HttpRequest& request, const PageSeen& page) override {
    const std::string link = LinkTarget(page.answer->Header("link"), "next");
    if (!link.empty()) return Resolved(request, link);
    if (page.body == nullptr || !page.body->is_object()) return Following();
    for (const char* path : {"next", "next_url", "links.next", "links.next.href", "_links.next.href", "paging.next",
                             "paging.next_url", "pagination.next", "pagination.next_url", "meta.next", "meta.links.next",
                             "@odata.nextLink", "info.next"}) {
      const std::optional<std::string> next = Scalar(AtPath(*page.body, path));
      const bool url_like = next && (next->starts_with("http") || next->starts_with("/") || next->starts_with("?"));
      if (url_like) return Resolved(request, *next);
    }
    return Following();
  }
};

/// The words of one paginator.
struct PaginatorWords {
  const Options& options;
  const std::string& path;
  std::string Text(const char* name, const char* fallback) const { return options.Text(path + "." + name, fallback); }
  std::int64_t Number(const char* name, std::int64_t fallback) const { return options.Integer(path + "." + name, fallback); }
  Slot SlotOf(const char* parameter, const char* fallback, const char* body_path) const {
    return Slot{Text(parameter, fallback), Text(body_path, "")};
  }
};

Result<std::unique_ptr<Paginator>> MakeCounting(const PaginatorWords& words, bool offset) {
  Counting::Words said;
  said.by_records = offset;
  said.more_path = words.Text("has_more_path", "");
  said.stop_after_empty_page = words.options.Boolean(words.path + ".stop_after_empty_page", true);
  said.accept_shrinking = words.Text("on_shrink", "retry") == "accept";
  if (offset) {
    said.at = words.SlotOf("offset_param", "offset", "offset_body_path");
    said.limit_slot = words.SlotOf("limit_param", "limit", "limit_body_path");
    said.total_path = words.Text("total_path", "total");
    said.first = words.Number("offset", 0);
    said.limit = words.Number("limit", 0);
    said.maximum = words.Number("maximum_offset", 0);
    if (said.limit <= 0) {
      return Error{ErrorKind::kInvalidArgument, "the offset paginator needs `limit`, the records of a page",
                   "write paginator: {type: offset, limit: 100}", ""};
    }
  } else {
    said.at = words.SlotOf("page_param", "page", "page_body_path");
    said.total_path = words.Text("total_path", "total_pages");
    said.first = words.Number("base_page", 0);
    said.maximum = words.Number("maximum_page", 0);
  }
  const bool ends = said.stop_after_empty_page || said.maximum > 0 || !said.more_path.empty() ||
                    !words.Text("total_path", "").empty();
  if (!ends) {
    return Error{ErrorKind::kInvalidArgument, "nothing ends the pages: `stop_after_empty_page` is false",
                 "write `total_path`, `has_more_path`, `maximum_offset` or `maximum_page`", ""};
  }
  return std::unique_ptr<Paginator>(std::make_unique<Counting>(std::move(said)));
}

}  // namespace

const Json* AtPath(const Json& json, const std::string& path) {
  // A name with dots is a name first: "@odata.nextLink".
  if (json.is_object() && json.contains(path)) return &json[path];
  const Json* at = &json;
  for (const std::string& step : DottedPath(path)) {
    const auto member = at->is_object() ? at->find(step) : at->end();
    if (!at->is_object() || member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

std::optional<std::vector<const Json*>> SelectRecords(const Json& body, const std::vector<std::string>& selector) {
  std::vector<const Json*> at{&body};
  for (const std::string& step : selector) {
    std::vector<const Json*> next;
    for (const Json* json : at) {
      if (step == "*" && json->is_structured()) {
        for (const Json& member : *json) next.push_back(&member);
      } else if (json->is_object() && json->contains(step)) {
        next.push_back(&(*json)[step]);
      }
    }
    at = std::move(next);
  }
  if (at.empty() && std::find(selector.begin(), selector.end(), "*") == selector.end()) return std::nullopt;
  std::vector<const Json*> records;
  for (const Json* json : at) {
    if (json->is_array()) {
      for (const Json& member : *json) records.push_back(&member);
    } else if (!json->is_null()) {
      records.push_back(json);
    }
  }
  return records;
}

std::vector<std::string> GuessSelector(const Json& body) {
  if (!body.is_object()) return {};
  const auto list = [](const Json& json) { return json.is_array() && (json.empty() || json[0].is_object()); };
  for (const char* name : {"data", "results", "items", "records", "rows", "entries", "hits", "values", "value", "content"}) {
    const auto member = body.find(name);
    if (member == body.end()) continue;
    if (list(*member)) return {name};
    if (!member->is_object()) continue;
    for (const auto& [inner, value] : member->items()) {
      if (list(value)) return {name, inner};
    }
  }
  std::vector<std::string> found;
  for (const auto& [name, value] : body.items()) {
    if (!value.is_array() || value.empty() || !value[0].is_object()) continue;
    if (!found.empty()) return {};  // two candidates are none
    found = {name};
  }
  return found;
}

HttpRequest WithMember(HttpRequest request, const std::string& path, const Json& value) {
  Json body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
  if (!body.is_object()) body = Json::object();
  Json* at = &body;
  for (const std::string& step : DottedPath(path)) {
    if (!at->is_object()) *at = Json::object();
    at = &(*at)[step];
  }
  *at = value;
  request.body = DumpJson(body);
  return request;
}

Result<std::unique_ptr<Paginator>> MakePaginator(const Options& options, const std::string& path) {
  const PaginatorWords words{options, path};
  const std::string type = words.Text("type", "auto");
  if (type == "auto") return std::unique_ptr<Paginator>(std::make_unique<AutoPages>());
  if (type == "single_page") return std::unique_ptr<Paginator>(std::make_unique<SinglePage>());
  if (type == "json_link") return std::unique_ptr<Paginator>(std::make_unique<JsonLink>(words.Text("next_url_path", "next")));
  if (type == "header_link") return std::unique_ptr<Paginator>(std::make_unique<HeaderLink>(words.Text("links_next_key", "next")));
  if (type == "cursor") {
    return std::unique_ptr<Paginator>(std::make_unique<CursorPages>(words.Text("cursor_path", "cursors.next"),
                                                                    words.SlotOf("cursor_param", "cursor", "cursor_body_path"),
                                                                    words.Text("has_more_path", "")));
  }
  if (type == "offset") return MakeCounting(words, true);
  if (type == "page_number") return MakeCounting(words, false);
  return Error{ErrorKind::kInvalidArgument,
               "no such paginator (there are: auto, json_link, header_link, offset, page_number, cursor, single_page): " + type,
               "", ""};
}

}  // namespace caudal
