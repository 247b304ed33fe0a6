#include "connect/http_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/json.h"
#include "connect/paginator.h"

namespace caudal {
namespace {

constexpr std::string_view kResources = "resources.";

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// `text` with each `{name}` that `value` knows replaced; other braces stay: a GraphQL query is full of them.
std::string Replaced(const std::string& text, const std::function<std::optional<std::string>(const std::string&)>& value) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find('{', at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    const std::optional<std::string> found = value(text.substr(open + 1, close - open - 1));
    out += found ? *found : "{";
    at = found ? close + 1 : open + 1;
  }
  return out;
}

void MapStrings(Json& json, const std::function<void(Json&)>& each) {
  if (json.is_string()) return each(json);
  if (!json.is_structured()) return;
  for (Json& member : json) MapStrings(member, each);
}

}  // namespace

Status HttpEndpoint::TakePlace(const std::string& parent, Place place) {
  if (!x_parent.empty() && parent != x_parent) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("a stream has one parent, and {} names two: {}, {}", x_name, x_parent, parent),
                 "name fields of one stream alone", ""};
  }
  x_parent = parent;
  x_places.push_back(std::move(place));
  return {};
}

Status HttpEndpoint::FindPlaces(const std::string& text) {
  Status status;
  Replaced(text, [&](const std::string& name) -> std::optional<std::string> {
    if (!status || !name.starts_with(kResources)) return std::nullopt;
    const std::size_t dot = name.find('.', kResources.size());
    if (dot != std::string::npos) status = TakePlace(name.substr(kResources.size(), dot - kResources.size()), Place{name, name.substr(dot + 1)});
    return std::nullopt;
  });
  return status;
}

Status HttpEndpoint::TakeParams(const Options& stream) {
  Json kept = Json::object();
  const Json& said = stream.At("endpoint.params");
  const Json params = said.is_object() ? said : Json::object();
  for (const auto& [name, value] : params.items()) {
    if (!value.is_object()) {
      if (value.is_string()) TRY(FindPlaces(value.get<std::string>()));
      kept[name] = value;
    } else if (JsonString(value, "type", "incremental") == "resolve") {
      const std::string field = JsonString(value, "field", "");
      const std::string parent = JsonString(value, "resource", "");
      if (field.empty() || parent.empty() || x_path.find("{" + name + "}") == std::string::npos) {
        return Error{ErrorKind::kInvalidArgument, "a parameter of type resolve needs `resource`, `field` and its place in the path: " + name,
                     fmt::format("write path: .../{{{}}}, and {}: {{type: resolve, resource: orders, field: id}}", name, name), ""};
      }
      TRY(TakePlace(parent, Place{name, field}));
    } else {
      if (x_incremental) return Error{ErrorKind::kInvalidArgument, "a stream has one incremental, and this is a second: " + name, "take one out", ""};
      TRY_ASSIGN(x_incremental, IncrementalWordsOf(value, name));
    }
  }
  x_params = DumpJson(kept);
  return {};
}

Result<HttpEndpoint> HttpEndpoint::Make(const std::string& name, const Options& stream, const std::string& base_url) {
  HttpEndpoint made;
  made.x_name = name;
  made.x_base = base_url.ends_with("/") ? base_url : base_url + "/";
  made.x_path = stream.Text("endpoint.path", name);
  TRY(made.FindPlaces(made.x_path));
  const Json& body = stream.At("endpoint.json");
  made.x_post = stream.Text("endpoint.method", body.is_null() ? "GET" : "POST") == "POST";
  if (!body.is_null() && !made.x_post) {
    return Error{ErrorKind::kInvalidArgument, "`json` is the body of a POST, and the method is GET", "write method: POST", ""};
  }
  if (made.x_post) made.x_body = body.is_null() ? "{}" : DumpJson(body);
  TRY(made.FindPlaces(made.x_body));
  TRY(made.TakeParams(stream));
  if (stream.Has("endpoint.incremental")) {
    if (made.x_incremental) return Error{ErrorKind::kInvalidArgument, "a stream has one incremental, and there is one in `params`, too", "take one out", ""};
    TRY_ASSIGN(made.x_incremental, IncrementalWordsOf(stream.At("endpoint.incremental"), ""));
  }
  made.x_format = stream.Text("endpoint.format", "auto");
  if (stream.Has("endpoint.data_selector")) made.x_selector = DottedPath(stream.Text("endpoint.data_selector", ""));
  made.x_include = stream.Texts("include_from_parent");
  if (!made.x_include.empty() && made.x_parent.empty()) {
    return Error{ErrorKind::kInvalidArgument, "include_from_parent of a stream that names no parent: " + name,
                 "write path: orders/{resources.orders.id}/lines", ""};
  }
  return made;
}

Result<std::optional<std::string>> HttpEndpoint::ValuesOf(const Json& parent_record) const {
  Json values = Json::object();
  for (const Place& place : x_places) {
    const Json* value = AtPath(parent_record, place.field);
    if (value == nullptr || value->is_structured()) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("a record of {} has no value {}", x_parent, place.field),
                   fmt::format("correct what {} takes from {}", x_name, x_parent), ""};
    }
    if (value->is_null()) return std::optional<std::string>();
    const std::string text = TextOf(*value);
    if (text.empty() || text == "." || text == ".." || text.find('\0') != std::string::npos) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("{} of a record of {} can be no part of a path: '{}'", place.field, x_parent, text),
                   "have the API give ids", ""};
    }
    values[place.name] = *value;
  }
  return std::optional<std::string>(DumpJson(values));
}

Result<std::string> HttpEndpoint::MembersOf(const Json& parent_record) const {
  if (x_include.empty()) return std::string();
  Json members = Json::object();
  for (const std::string& field : x_include) {
    const Json* value = AtPath(parent_record, field);
    if (value == nullptr) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("a record of {} has no value {}", x_parent, field),
                   fmt::format("correct include_from_parent of {}", x_name), ""};
    }
    std::string name = "_" + x_parent + "_" + field;
    std::replace(name.begin(), name.end(), '.', '_');
    members[name] = *value;
  }
  const std::string text = DumpJson(members);
  return text.substr(1, text.size() - 2);
}

std::string HttpEndpoint::Filled(const std::string& text, const Json& values, bool in_path) const {
  return Replaced(text, [&](const std::string& name) -> std::optional<std::string> {
    const auto value = values.find(name);
    if (value == values.end()) return std::nullopt;
    return in_path ? UrlEncoded(TextOf(*value)) : TextOf(*value);
  });
}

Result<HttpRequest> HttpEndpoint::Request(const std::string& of_parent, const Incremental* incremental) const {
  Json values = of_parent.empty() ? Json::object() : Json::parse(of_parent, nullptr, false);
  if (incremental != nullptr) {
    for (const char* name : {"incremental.start_value", "incremental.last_value"}) values[name] = incremental->start();
    values["incremental.initial_value"] = incremental->words().initial_value;
    values["incremental.end_value"] = incremental->end();
  }
  HttpRequest request;
  const std::string path = Filled(x_path, values, true);
  if (path.find("://") == std::string::npos) {
    TRY_ASSIGN(request.url, ResolveUrl(x_base, path.starts_with("/") ? path.substr(1) : path));
  } else {
    TRY_ASSIGN(request.url, ResolveUrl(x_base, path));
  }
  if (!SameOrigin(request.url, x_base)) {
    return Error{ErrorKind::kPermission, "a path leads to another host than base_url: " + PublicUrl(request.url),
                 "make it a source of its own", ""};
  }
  const Json params = Json::parse(x_params, nullptr, false);
  for (const auto& [name, value] : params.items()) {
    if (value.is_null()) continue;
    request.url = WithParameter(request.url, name, value.is_string() ? Filled(value.get<std::string>(), values, false) : value.dump());
  }
  if (incremental != nullptr) {
    const IncrementalWords& words = incremental->words();
    if (!words.start_param.empty() && !incremental->start().empty()) request.url = WithParameter(request.url, words.start_param, incremental->start());
    if (!words.end_param.empty() && !incremental->end().empty()) request.url = WithParameter(request.url, words.end_param, incremental->end());
  }
  request.post = x_post;
  if (!x_post) return request;
  Json body = Json::parse(x_body, nullptr, false);
  MapStrings(body, [&](Json& text) {
    const auto& said = text.get_ref<const std::string&>();
    const bool braces = said.size() > 2 && said.front() == '{' && said.back() == '}';
    const auto whole = braces ? values.find(said.substr(1, said.size() - 2)) : values.end();
    text = whole != values.end() ? Json(*whole) : Json(Filled(said, values, false));  // an id that is a number stays one
  });
  request.body = DumpJson(body);
  return request;
}

}  // namespace caudal
