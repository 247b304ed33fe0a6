// Pages of an HTTP API, by GET or POST. Authentication: none, bearer, basic, API key, OAuth2 client credentials. Order: as
// the server gives it; children in the order of their parents. Delivery: at least once from the source (the records at the
// cursor come again), exactly once in a table with a key. Words: dlt's REST vocabulary. What each failure becomes:
// docs/connectors/http.md.
#include <fmt/format.h>

#include "base/ids.h"
#include "base/json.h"
#include "connect/http_reach.h"
#include "connect/http_spec.h"
#include "connect/http_stream.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

void Register_http(Registry& registry);

namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{256} << 20;

/// One read of one stream.
class HttpRead {
 public:
  HttpRead(HttpReach& reach, HttpStream& stream, Json cursor, std::string definition, ChunkSink& sink)
      : x_reach(reach), x_stream(stream), x_cursor(std::move(cursor)), x_definition(std::move(definition)), x_sink(sink) {}

  Result<ReadOutcome> Run() {
    Result<ReadOutcome> outcome = Pages();
    if (outcome) {
      for (const std::string& note : x_stream.notes()) outcome->notes.push_back(x_reach.Public(note));
      return outcome;
    }
    Error error = std::move(outcome).error();
    error.message = x_reach.Public(error.message);
    return error;
  }

 private:
  Result<ReadOutcome> Pages() {
    const bool again = JsonString(x_cursor, "definition", "") == x_definition;
    const std::map<std::string, std::string> condition = again ? Condition() : std::map<std::string, std::string>();
    bool first = true;
    for (;; first = false) {
      if (!x_sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      TRY_ASSIGN(const std::optional<HttpStreamPage> page, x_stream.Next(condition));
      if (!page) break;
      if (page->answer.status == 304) return Unchanged();
      x_records += page->page.count;
      if (first && !x_stream.has_parent()) {
        x_etag = page->answer.Header("etag");
        x_modified = page->answer.Header("last-modified");
        if (page->last) {
          x_only_page = Sha256Hex(page->answer.body);
          const bool same = again && JsonString(x_cursor, "page_sha256", "") == x_only_page;
          if (same || x_records == 0) return Unchanged();
        }
      }
      TRY(Put(*page));
    }
    if (x_stream.has_parent() && x_records == 0) return Unchanged();
    if (x_open) TRY(x_sink.End());
    ReadOutcome outcome;
    outcome.cursor = CursorText();
    return outcome;
  }

  std::map<std::string, std::string> Condition() const {
    std::map<std::string, std::string> condition;
    if (const std::string tag = JsonString(x_cursor, "etag", ""); !tag.empty()) condition["If-None-Match"] = tag;
    const std::string modified = JsonString(x_cursor, "last_modified", "");
    if (!modified.empty()) condition["If-Modified-Since"] = modified;
    return condition;
  }

  Result<ReadOutcome> Unchanged() const {
    ReadOutcome outcome;
    outcome.unchanged = true;
    outcome.cursor = DumpJson(x_cursor);
    return outcome;
  }

  std::string CursorText() const {
    Json cursor{{"definition", x_definition}};
    // With the cursor's value in the request, the next read asks another: nothing is known of that one.
    if (!x_etag.empty()) cursor["etag"] = x_etag;
    if (!x_modified.empty()) cursor["last_modified"] = x_modified;
    if (!x_only_page.empty()) cursor["page_sha256"] = x_only_page;
    x_stream.Remember(cursor);
    return DumpJson(cursor);
  }

  Status Put(const HttpStreamPage& page) {
    if (page.answer.body.empty()) return {};                     // 204, or an API that has nothing more to say
    if (x_stream.has_parent() && page.page.count == 0) return {};  // of children there may be a million without records
    if (!page.members.empty() && x_stream.reader().kind() == "csv") {
      return Error{ErrorKind::kUnsupported, "include_from_parent needs JSON or NDJSON, and this is CSV: " + PublicUrl(page.answer.url),
                   "take `include_from_parent` out, or ask for JSON", ""};
    }
    const std::string& body = page.answer.body;
    x_total += static_cast<std::int64_t>(body.size());
    if (x_total > x_reach.max_read_bytes) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("the stream gives more than {} bytes in one read: {}", x_reach.max_read_bytes, PublicUrl(page.answer.url)),
                   "raise `max_read_bytes`, or read less at a time with `incremental`", ""};
    }
    if (!x_open) {
      ChunkFormat format;
      format.kind = "pages";
      format.body = x_stream.reader().kind();
      format.selector = x_stream.reader().selector();
      TRY(x_sink.Begin(x_reach.Public(PublicUrl(x_stream.first().url)), format));
      x_open = true;
      x_bytes = 0;
    }
    TRY(x_sink.Append(body));
    TRY(x_sink.EndPage(x_reach.Public(PublicUrl(page.request.url)), page.members));
    x_bytes += static_cast<std::int64_t>(body.size());
    if (x_bytes < kChunkBytes) return {};
    x_open = false;
    return x_sink.End();
  }

  HttpReach& x_reach;
  HttpStream& x_stream;
  Json x_cursor;
  std::string x_definition;
  ChunkSink& x_sink;
  std::string x_etag;
  std::string x_modified;
  std::string x_only_page;
  bool x_open = false;
  std::int64_t x_bytes = 0;  // of the open chunk
  std::int64_t x_total = 0;
  std::int64_t x_records = 0;
};

class HttpSource final : public BytesSource {
 public:
  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const HttpReach reach, MakeHttpReach(request, options, {}, 1));
    HttpRequest question;
    question.url = reach.http.origin_url;
    const Result<HttpAnswer> answer = reach.client->Ask(std::move(question));
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
    TRY_ASSIGN(HttpReach reach, MakeHttpReach(request, options, [&sink] { return !sink.WantsMore(); }, 3));
    HttpStreamOptions said;
    said.name = request.stream;
    said.options = request.stream_options;
    said.client = &options;
    said.cursor = request.cursor;
    said.now = SystemClock().Now();
    TRY_ASSIGN(const auto stream, HttpStream::Make(reach, said));
    Json cursor = Json::object();
    if (!request.cursor.empty()) {
      TRY_ASSIGN(cursor, ParseJson(request.cursor, "the cursor of an http source"));
    }
    const HttpRequest& first = stream->first();
    const std::string definition = Sha256Hex(request.stream_options + "\n" + first.url + first.body).substr(0, 16);
    return HttpRead(reach, *stream, std::move(cursor), definition, sink).Run();
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
  registry.Add(Connector{HttpSpec(), [] { return std::make_unique<HttpSource>(); }, nullptr, NextRecords});
}

}  // namespace caudal
