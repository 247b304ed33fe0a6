#include "connect/http_stream.h"

#include <fmt/format.h>

#include "base/json.h"

namespace caudal {
namespace {

/// What both kinds of streams have: the endpoint, the cursor, the reader of pages.
class Pages : public HttpStream {
 public:
  struct Parts {
    HttpEndpoint endpoint;
    std::optional<Incremental> incremental;
    Options stream;
    HttpStreamOptions said;
  };
  Pages(HttpReach& reach, Parts parts, bool child)
      : x_reach(reach),
        x_endpoint(std::move(parts.endpoint)),
        x_incremental(std::move(parts.incremental)),
        x_stream(std::move(parts.stream)),
        x_said(std::move(parts.said)),
        x_reader(x_endpoint, x_said.needs_records || x_incremental.has_value(), child) {}

  const HttpPageReader& reader() const override { return x_reader; }

  void Remember(Json& cursor) const override {
    if (x_incremental && !x_incremental->value().empty()) cursor["value"] = x_incremental->value();
  }

  std::vector<std::string> notes() const override {
    std::vector<std::string> notes = x_notes;
    if (x_incremental && x_incremental->future() > 0) {
      notes.push_back(fmt::format("{}: {} of {} records lie more than a day in the future and do not move the cursor",
                                  x_endpoint.name(), x_incremental->words().cursor_path, x_incremental->future()));
    }
    return notes;
  }

 protected:
  const Incremental* incremental() const { return x_incremental ? &*x_incremental : nullptr; }

  Result<std::unique_ptr<HttpWalk>> WalkOf(const HttpRequest& request) const {
    const bool own = x_stream.Has("endpoint.paginator");
    TRY_ASSIGN(auto pages, own ? MakePaginator(x_stream, "endpoint.paginator") : MakePaginator(*x_said.client, "client.paginator"));
    return std::make_unique<HttpWalk>(*x_reach.client, std::move(pages), request, x_reach.rules);
  }

  /// Understands the answer to the walk's current request, and goes on.
  Result<HttpStreamPage> Take(HttpWalk& walk, HttpAnswer answer) {
    HttpStreamPage out;
    out.request = walk.current();
    out.answer = std::move(answer);
    Result<HttpPage> page = x_reader.Read(out.answer);
    if (!page && page.error().kind == ErrorKind::kCorruption) {
      // Without a length, a body that was cut looks whole until it is parsed.
      TRY_ASSIGN(out.answer, walk.Again());
      page = x_reader.Read(out.answer);
    }
    if (!page) return std::move(page).error();
    out.page = *std::move(page);
    if (x_incremental) TRY(x_incremental->Move(out.page.records, PublicUrl(out.answer.url)));
    PageSeen seen;
    seen.answer = &out.answer;
    seen.body = x_reader.kind() == "json" ? out.page.body.get() : nullptr;
    seen.records = out.page.count;
    seen.flat = x_reader.flat();
    TRY_ASSIGN(const bool more, walk.Next(seen));
    out.last = !more;
    if (out.last) {
      const std::vector<std::string> notes = walk.notes();
      x_notes.insert(x_notes.end(), notes.begin(), notes.end());
      if (x_notes.size() > 20) x_notes.resize(20);
    }
    return out;
  }

  HttpReach& x_reach;
  HttpEndpoint x_endpoint;
  std::optional<Incremental> x_incremental;
  Options x_stream;
  HttpStreamOptions x_said;
  HttpPageReader x_reader;
  std::vector<std::string> x_notes;
};

class RootPages final : public Pages {
 public:
  RootPages(HttpReach& reach, Parts parts, HttpRequest first)
      : Pages(reach, std::move(parts), false), x_first(std::move(first)) {}

  const HttpRequest& first() const override { return x_first; }
  bool has_parent() const override { return false; }

  Result<std::optional<HttpStreamPage>> Next(const std::map<std::string, std::string>& condition) override {
    if (x_done) return std::optional<HttpStreamPage>();
    if (x_walk == nullptr) {
      TRY_ASSIGN(x_walk, WalkOf(x_first));
      x_walk->Start(condition);
    }
    TRY_ASSIGN(HttpAnswer answer, x_walk->Answer());
    if (answer.status == 304) {
      x_done = true;
      HttpStreamPage same;
      same.request = x_walk->current();
      same.answer = std::move(answer);
      same.last = true;
      return std::optional(std::move(same));
    }
    TRY_ASSIGN(HttpStreamPage page, Take(*x_walk, std::move(answer)));
    x_done = page.last;
    return std::optional(std::move(page));
  }

 private:
  HttpRequest x_first;
  std::unique_ptr<HttpWalk> x_walk;
  bool x_done = false;
};

class ChildPages final : public Pages {
 public:
  ChildPages(HttpReach& reach, Parts parts, std::unique_ptr<HttpStream> parent)
      : Pages(reach, std::move(parts), true), x_parent(std::move(parent)) {}

  const HttpRequest& first() const override { return x_parent->first(); }
  bool has_parent() const override { return true; }

  Result<std::optional<HttpStreamPage>> Next(const std::map<std::string, std::string>&) override {
    for (;;) {
      TRY(Refill());
      if (x_children.empty()) break;
      Child& child = x_children.front();
      Result<HttpAnswer> answer = child.walk->Answer();
      if (!answer && answer.error().kind == ErrorKind::kNotFound && !child.begun) {
        if (x_gone++ == 0) x_gone_error = answer.error();
        x_children.pop_front();
        continue;
      }
      if (!answer) return std::move(answer).error();
      child.begun = true;
      ++x_answered;
      TRY_ASSIGN(HttpStreamPage page, Take(*child.walk, *std::move(answer)));
      page.members = child.members;
      if (page.last) x_children.pop_front();
      return std::optional(std::move(page));
    }
    // None of them at the very first read: the path is wrong rather than every child gone.
    if (x_gone > 0 && x_answered == 0 && x_said.cursor.empty()) return x_gone_error;
    return std::optional<HttpStreamPage>();
  }

  void Remember(Json& cursor) const override {
    Pages::Remember(cursor);
    Json above = Json::object();
    x_parent->Remember(above);
    if (!above.empty()) cursor["parent"] = std::move(above);
  }

  std::vector<std::string> notes() const override {
    std::vector<std::string> notes = Pages::notes();
    const std::string& parent = x_endpoint.parent();
    if (x_gone > 0) {
      notes.push_back(fmt::format("{}: {} of the {} that were asked for are not there (404), the first: {}", x_endpoint.name(),
                                  x_gone, x_asked, x_gone_error.message));
    }
    if (x_without > 0) notes.push_back(fmt::format("{}: {} records of {} have no value to ask with", x_endpoint.name(), x_without, parent));
    for (const std::string& note : x_parent->notes()) notes.push_back(parent + ": " + note);
    return notes;
  }

 private:
  struct Child {
    std::unique_ptr<HttpWalk> walk;
    std::string members;
    bool begun = false;
  };

  Result<const Json*> NextRecord() {
    while (x_at >= x_above.page.records.size()) {
      if (x_parent_done) return nullptr;
      TRY_ASSIGN(std::optional<HttpStreamPage> page, x_parent->Next({}));
      x_parent_done = !page;
      x_above = page ? *std::move(page) : HttpStreamPage{};
      x_at = 0;
    }
    return x_above.page.records[x_at++];
  }

  Status Refill() {
    while (x_children.size() < x_reach.rules.lanes) {
      TRY_ASSIGN(const Json* record, NextRecord());
      if (record == nullptr) return {};
      TRY_ASSIGN(const std::optional<std::string> values, x_endpoint.ValuesOf(*record));
      if (!values) {
        ++x_without;
        continue;
      }
      TRY_ASSIGN(const HttpRequest request, x_endpoint.Request(*values, incremental()));
      Child child;
      TRY_ASSIGN(child.walk, WalkOf(request));
      TRY_ASSIGN(child.members, x_endpoint.MembersOf(*record));
      child.walk->Start({});
      ++x_asked;
      x_children.push_back(std::move(child));
    }
    return {};
  }

  std::unique_ptr<HttpStream> x_parent;
  HttpStreamPage x_above;  // the parent's page whose records are being asked for
  std::size_t x_at = 0;
  bool x_parent_done = false;
  std::deque<Child> x_children;
  std::int64_t x_asked = 0;
  std::int64_t x_answered = 0;
  std::int64_t x_gone = 0;
  std::int64_t x_without = 0;
  Error x_gone_error;
};

Result<std::optional<Incremental>> IncrementalOf(const HttpEndpoint& endpoint, const Json& cursor, Timestamp now) {
  if (!endpoint.incremental()) return std::optional<Incremental>();
  TRY_ASSIGN(Incremental made, Incremental::Make(*endpoint.incremental(), JsonString(cursor, "value", ""), now));
  return std::optional(std::move(made));
}

}  // namespace

Result<std::unique_ptr<HttpStream>> HttpStream::Make(HttpReach& reach, const HttpStreamOptions& said) {
  TRY_ASSIGN(Options stream, Options::Parse(said.options));
  TRY_ASSIGN(HttpEndpoint endpoint, HttpEndpoint::Make(said.name, stream, reach.rules.base_url));
  Json cursor = Json::object();
  if (!said.cursor.empty()) {
    TRY_ASSIGN(cursor, ParseJson(said.cursor, "the cursor of an http source"));
  }
  TRY_ASSIGN(std::optional<Incremental> incremental, IncrementalOf(endpoint, cursor, said.now));
  const std::string parent = endpoint.parent();
  if (parent.empty()) {
    TRY_ASSIGN(HttpRequest first, endpoint.Request("", incremental ? &*incremental : nullptr));
    return std::unique_ptr<HttpStream>(std::make_unique<RootPages>(
        reach, Pages::Parts{std::move(endpoint), std::move(incremental), std::move(stream), said}, std::move(first)));
  }
  const Json& above = stream.At("parents." + parent);
  if (!above.is_object()) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("{} takes values of {}, which is no stream of this source", said.name, parent),
                 "correct `path:` of the endpoint", ""};
  }
  HttpStreamOptions of_parent = said;
  of_parent.name = parent;
  of_parent.options = DumpJson(above);
  of_parent.needs_records = true;
  of_parent.cursor = cursor.contains("parent") ? DumpJson(cursor["parent"]) : "";
  TRY_ASSIGN(auto made, HttpStream::Make(reach, of_parent));
  return std::unique_ptr<HttpStream>(std::make_unique<ChildPages>(
      reach, Pages::Parts{std::move(endpoint), std::move(incremental), std::move(stream), said}, std::move(made)));
}

}  // namespace caudal
