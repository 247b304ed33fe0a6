#include "base/json.h"
#include "connect/extract.h"

namespace caudal {
namespace {

struct Refused {
  Error error;
};

template <typename T>
T Take(Result<T> result) {
  if (!result) throw Refused{std::move(result).error()};
  return std::move(result).value();
}

template <typename T, typename F>
Result<T> Read(const std::string& text, const char* what, F read) {
  TRY_ASSIGN(const Json json, ParseJson(text, what));
  try {
    return read(json);
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const Json::exception& e) {
    return Error{ErrorKind::kCorruption, std::string("malformed ") + what + ": " + e.what(), "", ""};
  }
}

}  // namespace

std::string SourceRequestToJson(const SourceRequest& request) {
  return DumpJson(Json{{"source", request.source},
                       {"stream", request.stream},
                       {"project_folder", request.project_folder},
                       {"options", request.options},
                       {"stream_options", request.stream_options},
                       {"cursor", request.cursor},
                       {"sample_rows", request.sample_rows},
                       {"raw_key", request.raw_key},
                       {"widens", request.widens},
                       {"keys", request.keys},
                       {"pinned", SchemaToJson(request.pinned)}});
}

Result<SourceRequest> SourceRequestFromJson(const std::string& text) {
  return Read<SourceRequest>(text, "request to a source", [](const Json& json) {
    SourceRequest request;
    request.source = json.at("source").get<std::string>();
    request.stream = json.at("stream").get<std::string>();
    request.project_folder = json.at("project_folder").get<std::string>();
    request.options = json.at("options").get<std::string>();
    request.stream_options = json.at("stream_options").get<std::string>();
    request.cursor = json.at("cursor").get<std::string>();
    request.sample_rows = JsonInt(json, "sample_rows", 0);
    request.raw_key = json.at("raw_key").get<std::string>();
    request.widens = json.value("widens", std::vector<std::string>{});
    request.keys = json.value("keys", std::vector<std::string>{});
    request.pinned = Take(SchemaFromJson(json.at("pinned")));
    return request;
  });
}

std::string ReplayRequestToJson(const ReplayRequest& request) {
  Json objects = Json::array();
  for (const ReplayRequest::Object& object : request.objects) {
    objects.push_back(Json{{"path", object.path},
                           {"key", object.key},
                           {"origin", object.origin},
                           {"sha256", object.sha256},
                           {"format", ChunkFormatToJson(object.format)}});
  }
  return DumpJson(Json{{"objects", std::move(objects)}});
}

Result<ReplayRequest> ReplayRequestFromJson(const std::string& text) {
  return Read<ReplayRequest>(text, "request for a replay", [](const Json& json) {
    ReplayRequest request;
    for (const Json& item : json.at("objects")) {
      request.objects.push_back(ReplayRequest::Object{
          item.at("path").get<std::string>(), item.at("key").get<std::string>(), item.at("origin").get<std::string>(),
          item.at("sha256").get<std::string>(), Take(ChunkFormatFromJson(item.at("format")))});
    }
    return request;
  });
}

std::string StreamOffersToJson(const std::vector<StreamOffer>& offers) {
  Json list = Json::array();
  for (const StreamOffer& offer : offers) {
    list.push_back(Json{{"name", offer.name},
                        {"columns", SchemaToJson(offer.columns)},
                        {"key", offer.key},
                        {"cursor_candidates", offer.cursor_candidates},
                        {"rows_estimate", offer.rows_estimate},
                        {"schema", offer.schema},
                        {"table", offer.table}});
  }
  return DumpJson(list);
}

Result<std::vector<StreamOffer>> StreamOffersFromJson(const std::string& text) {
  return Read<std::vector<StreamOffer>>(text, "list of streams", [](const Json& json) {
    std::vector<StreamOffer> offers;
    for (const Json& item : json) {
      offers.push_back(StreamOffer{item.at("name").get<std::string>(), Take(SchemaFromJson(item.at("columns"))),
                                   item.at("key").get<std::vector<std::string>>(),
                                   item.at("cursor_candidates").get<std::vector<std::string>>(),
                                   item.at("rows_estimate").get<std::int64_t>(), item.at("schema").get<std::string>(),
                                   item.at("table").get<std::string>()});
    }
    return offers;
  });
}

}  // namespace caudal
