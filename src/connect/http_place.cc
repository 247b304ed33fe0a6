#include "connect/http_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/percent.h"
#include "connect/curl_transfer.h"
#include "connect/http_client.h"

namespace caudal {
namespace {

constexpr std::size_t kMaxPage = std::size_t{64} << 20;

bool SameLetter(char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; }

constexpr std::pair<std::string_view, char> kEntities[] = {{"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''}, {"&lt;", '<'}, {"&gt;", '>'}};

/// "&amp;" and its like, as index pages write them.
std::string WithoutEntities(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    bool known = false;
    for (const auto& [entity, letter] : kEntities) {
      if (!rest.starts_with(entity)) continue;
      out.push_back(letter);
      i += entity.size() - 1;
      known = true;
      break;
    }
    if (!known) out.push_back(text[i]);
  }
  return out;
}

/// Every value of an `href` of the page.
std::vector<std::string> Links(std::string_view page) {
  constexpr std::string_view kWord = "href";
  std::vector<std::string> links;
  for (auto at = page.begin();;) {
    at = std::search(at, page.end(), kWord.begin(), kWord.end(), SameLetter);
    if (at == page.end()) return links;
    at += kWord.size();
    std::string_view rest = page.substr(static_cast<std::size_t>(at - page.begin()));
    const std::size_t quote = rest.find_first_not_of(" \t\r\n=");
    if (quote == std::string_view::npos || rest.substr(0, quote).find('=') == std::string_view::npos) continue;
    const char mark = rest[quote];
    const std::size_t end = mark == '"' || mark == '\'' ? rest.find(mark, quote + 1) : rest.find_first_of(" \t\r\n>", quote);
    if (end == std::string_view::npos) continue;
    const std::size_t begin = mark == '"' || mark == '\'' ? quote + 1 : quote;
    links.push_back(WithoutEntities(rest.substr(begin, end - begin)));
  }
}

class HttpPlace final : public FilePlace {
 public:
  HttpPlace(PlaceUrl url, std::unique_ptr<CurlTransfer> curl) : x_url(std::move(url)), x_curl(std::move(curl)) {}

  Status Check() {
    TRY_ASSIGN(const std::vector<PlaceEntry> entries, Entries(""));
    return {};
  }

  Result<std::vector<PlaceFile>> List(std::string_view glob) override {
    return WalkPlace(glob, [this](const std::string& below) { return Entries(below); },
                     [this](const PlaceEntry&, const std::string& name) { return Stat(name); });
  }

  Result<PlaceFile> Stat(const std::string& name) override {
    CurlRequest request;
    request.url = Url(name);
    request.head = true;
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, [](std::string_view) { return Status(); }));
    TRY(Judge(reply, name));
    if (reply.size_bytes >= 0) return PlaceFile{name, reply.size_bytes, reply.modified_us};
    return Error{ErrorKind::kUnsupported, fmt::format("{} does not tell the size of {}, so that a half file could not be seen", x_url.Server(), name),
                 "have the server send Content-Length to a HEAD request", ""};
  }

  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override {
    if (from >= file.size_bytes && from > 0) return {};
    CurlRequest request;
    request.url = Url(file.name);
    request.from = from;
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, take));
    return Judge(reply, file.name);
  }

  Result<std::string> Head(const std::string& name, std::size_t limit) override {
    std::string head;
    CurlRequest request;
    request.url = Url(name);
    request.at_most = static_cast<std::int64_t>(limit);
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, [&](std::string_view bytes) {
      head.append(bytes);
      return Status();
    }));
    TRY(Judge(reply, name));
    return head;
  }

 private:
  std::string Origin() const {
    const std::string host = x_url.host.find(':') == std::string::npos ? x_url.host : "[" + x_url.host + "]";
    return fmt::format("{}://{}:{}", x_url.scheme, host, x_url.port);
  }
  std::string Url(const std::string& name) const { return Origin() + EncodedPath(x_url.path + "/" + name); }

  Status Judge(const CurlReply& reply, const std::string& name) const {
    if (reply.status == 200 || reply.status == 206) return {};
    const std::string message = fmt::format("{} answers {} for {}/{}", x_url.Server(), reply.status, x_url.path, name);
    if (reply.status == 401 || reply.status == 403) return Error{ErrorKind::kPermission, message, "correct `user:` and `password:`, or have the right given there", ""};
    if (reply.status == 404 || reply.status == 410) return Error{ErrorKind::kNotFound, message, "correct `location:` of the source", ""};
    if (reply.status >= 300 && reply.status < 400) {
      return Error{ErrorKind::kInvalidArgument, message + ", which leads elsewhere and is not followed", "write the place that it leads to as `location:`", ""};
    }
    if (reply.status == 408 || reply.status == 429 || reply.status >= 500) return Error{ErrorKind::kUnavailable, message, "try again later", ""};
    return Error{ErrorKind::kInvalidArgument, message, "correct `location:` of the source", ""};
  }

  Result<std::vector<PlaceEntry>> Entries(const std::string& below) {
    std::string page;
    CurlRequest request;
    request.url = Url(below);
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, [&](std::string_view bytes) -> Status {
      page.append(bytes);
      if (page.size() <= kMaxPage) return {};
      return Error{ErrorKind::kCorruption, "the page of a folder has more than 64 MiB", "name a smaller folder", ""};
    }));
    TRY(Judge(reply, below));
    const auto type = reply.headers.find("content-type");
    if (type == reply.headers.end() || type->second.find("html") == std::string::npos) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("{}{}/{} is no page of links", x_url.Server(), x_url.path, below),
                   "name a folder that the server lists (autoindex) as `location:`", ""};
    }
    return ParseIndexPage(page, Origin(), x_url.path + "/" + below);
  }

  const PlaceUrl x_url;
  const std::unique_ptr<CurlTransfer> x_curl;
};

}  // namespace

std::vector<PlaceEntry> ParseIndexPage(std::string_view page, const std::string& origin, const std::string& path) {
  std::vector<PlaceEntry> entries;
  std::set<std::string> seen;
  const std::string base = origin + EncodedPath(path);
  for (const std::string& link : Links(page)) {
    if (link.empty() || link[0] == '?' || link[0] == '#') continue;  // the columns that one sorts by
    const Result<std::string> whole = ResolveUrl(base, link);
    if (!whole || !SameOrigin(*whole, origin)) continue;
    const std::size_t begin = whole->find('/', whole->find("://") + 3);
    if (begin == std::string::npos) continue;
    const std::string target = PercentDecoded(whole->substr(begin, whole->find_first_of("?#", begin) - begin));
    if (!target.starts_with(path) || target.size() == path.size()) continue;
    PlaceEntry entry;
    entry.name = target.substr(path.size());
    if (entry.name.ends_with('/')) {
      entry.kind = PlaceEntry::Kind::kFolder;
      entry.name.pop_back();
    }
    if (entry.name.find('/') == std::string::npos && seen.insert(entry.name).second) entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::unique_ptr<FilePlace>> OpenHttpPlace(PlaceUrl url, PlaceAccess access) {
  TRY_ASSIGN(auto curl, CurlTransfer::Make(url, std::move(access), "http,https"));
  auto place = std::make_unique<HttpPlace>(std::move(url), std::move(curl));
  TRY(place->Check());
  return std::unique_ptr<FilePlace>(std::move(place));
}

}  // namespace caudal
