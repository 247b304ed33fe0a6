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

Result<std::optional<std::string>> Resolved(const std::string& url, const std::string& next) {
  TRY_ASSIGN(std::string whole, ResolveUrl(url, next));
  return std::optional<std::string>(std::move(whole));
}

class SinglePage final : public Paginator {
 public:
  std::string First(const std::string& url) override { return url; }
  Result<std::optional<std::string>> Next(const std::string&, const PageSeen&) override {
    return std::optional<std::string>();
  }
};

class JsonLink final : public Paginator {
 public:
  explicit JsonLink(std::string path) : x_path(std::move(path)) {}
  std::string First(const std::string& url) override { return url; }
  Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) override {
    if (page.body == nullptr) return std::optional<std::string>();
    const std::optional<std::string> next = Scalar(AtPath(*page.body, x_path));
    if (!next) return std::optional<std::string>();
    return Resolved(url, *next);
  }

 private:
  std::string x_path;
};

class HeaderLink final : public Paginator {
 public:
  explicit HeaderLink(std::string rel) : x_rel(std::move(rel)) {}
  std::string First(const std::string& url) override { return url; }
  Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) override {
    const std::string next = LinkTarget(page.answer->Header("link"), x_rel);
    if (next.empty()) return std::optional<std::string>();
    return Resolved(url, next);
  }

 private:
  std::string x_rel;
};

/// Offset and page number: a number that grows by `step`.
class Counting final : public Paginator {
 public:
  struct Words {
    std::string parameter, limit_parameter, total_path;
    std::int64_t first = 0, step = 1, limit = 0, maximum = 0;
  };
  explicit Counting(Words words) : x_words(std::move(words)), x_at(x_words.first) {}

  std::string First(const std::string& url) override { return With(url); }
  Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) override {
    x_at += x_words.step;
    if (page.records == 0) return std::optional<std::string>();
    if (x_words.maximum > 0 && x_at > x_words.maximum) return std::optional<std::string>();
    const Json* total = page.body == nullptr || x_words.total_path.empty() ? nullptr : AtPath(*page.body, x_words.total_path);
    if (total != nullptr && total->is_number() && x_at - x_words.first >= total->get<std::int64_t>()) {
      return std::optional<std::string>();
    }
    return std::optional<std::string>(With(url));
  }

 private:
  std::string With(const std::string& url) const {
    const std::string limited =
        x_words.limit > 0 ? WithParameter(url, x_words.limit_parameter, std::to_string(x_words.limit)) : url;
    return WithParameter(limited, x_words.parameter, std::to_string(x_at));
  }
  Words x_words;
  std::int64_t x_at;
};

class CursorPages final : public Paginator {
 public:
  CursorPages(std::string path, std::string parameter) : x_path(std::move(path)), x_parameter(std::move(parameter)) {}
  std::string First(const std::string& url) override { return url; }
  Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) override {
    if (page.body == nullptr) return std::optional<std::string>();
    const std::optional<std::string> next = Scalar(AtPath(*page.body, x_path));
    if (!next) return std::optional<std::string>();
    return std::optional<std::string>(WithParameter(url, x_parameter, *next));
  }

 private:
  std::string x_path;
  std::string x_parameter;
};

/// A Link header, or a link at one of the places where APIs put it.
class AutoPages final : public Paginator {
 public:
  std::string First(const std::string& url) override { return url; }
  Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) override {
    const std::string link = LinkTarget(page.answer->Header("link"), "next");
    if (!link.empty()) return Resolved(url, link);
    if (page.body == nullptr || !page.body->is_object()) return std::optional<std::string>();
    for (const char* path : {"next", "next_url", "links.next", "links.next.href", "_links.next.href", "paging.next",
                             "paging.next_url", "pagination.next", "pagination.next_url", "meta.next", "meta.links.next",
                             "@odata.nextLink", "info.next"}) {
      const std::optional<std::string> next = Scalar(AtPath(*page.body, path));
      const bool url_like = next && (next->starts_with("http") || next->starts_with("/") || next->starts_with("?"));
      if (url_like) return Resolved(url, *next);
    }
    return std::optional<std::string>();
  }
};

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

Result<std::unique_ptr<Paginator>> MakePaginator(const Options& options, const std::string& path) {
  const std::string type = options.Text(path + ".type", options.At(path).is_string() ? options.Text(path, "auto") : "auto");
  const auto text = [&](const char* name, const char* fallback) { return options.Text(path + "." + name, fallback); };
  const auto number = [&](const char* name, std::int64_t fallback) { return options.Integer(path + "." + name, fallback); };
  if (type == "auto") return std::unique_ptr<Paginator>(std::make_unique<AutoPages>());
  if (type == "single_page") return std::unique_ptr<Paginator>(std::make_unique<SinglePage>());
  if (type == "json_link") return std::unique_ptr<Paginator>(std::make_unique<JsonLink>(text("next_url_path", "next")));
  if (type == "header_link") return std::unique_ptr<Paginator>(std::make_unique<HeaderLink>(text("links_next_key", "next")));
  if (type == "cursor") {
    return std::unique_ptr<Paginator>(
        std::make_unique<CursorPages>(text("cursor_path", "cursors.next"), text("cursor_param", "cursor")));
  }
  if (type == "offset") {
    const std::int64_t limit = number("limit", 0);
    if (limit <= 0) {
      return Error{ErrorKind::kInvalidArgument, "the offset paginator needs `limit`, the records of a page",
                   "write paginator: {type: offset, limit: 100}", ""};
    }
    return std::unique_ptr<Paginator>(std::make_unique<Counting>(
        Counting::Words{text("offset_param", "offset"), text("limit_param", "limit"), text("total_path", "total"),
                        number("offset", 0), limit, limit, number("maximum_offset", 0)}));
  }
  if (type == "page_number") {
    return std::unique_ptr<Paginator>(
        std::make_unique<Counting>(Counting::Words{text("page_param", "page"), "", text("total_path", "total_pages"),
                                                   number("base_page", 0), 1, 0, number("maximum_page", 0)}));
  }
  return Error{ErrorKind::kInvalidArgument,
               "no such paginator (there are: auto, json_link, header_link, offset, page_number, cursor, single_page): " + type,
               "", ""};
}

}  // namespace caudal
