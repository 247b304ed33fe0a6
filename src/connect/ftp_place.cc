#include "connect/ftp_place.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "connect/curl_transfer.h"

namespace caudal {
namespace {

std::int64_t NumberOf(std::string_view text) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

bool SameWord(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

/// "20261122045200" or "20261122045200.123", UTC.
std::int64_t MachineTime(std::string_view text) {
  if (text.size() < 14) return 0;
  const std::string iso = std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4, 2)) + "-" + std::string(text.substr(6, 2)) + "T" +
                          std::string(text.substr(8, 2)) + ":" + std::string(text.substr(10, 2)) + ":" + std::string(text.substr(12));
  const Result<Timestamp> time = ParseTimestamp(iso);
  return time ? time->time_since_epoch().count() : 0;
}

/// The next word of `line`, which is taken away with the blanks around it.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool IsMonth(std::string_view word) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t at = word.size() == 3 ? kMonths.find(word) : std::string_view::npos;
  return at != std::string_view::npos && at % 3 == 0;
}

/// "-rw-r--r-- 1 user group 1234 Nov 22 04:52 a name": the size is the word before the month, wherever that stands.
std::optional<PlaceEntry> UnixLine(std::string_view line) {
  PlaceEntry entry;
  switch (line[0]) {
    case '-': entry.kind = PlaceEntry::Kind::kFile; break;
    case 'd': entry.kind = PlaceEntry::Kind::kFolder; break;
    default: entry.kind = PlaceEntry::Kind::kOther; break;  // links, too: where they lead is not told
  }
  std::string_view rest = line;
  std::string_view before;
  for (std::string_view word = TakeWord(rest); !word.empty(); word = TakeWord(rest)) {
    if (IsMonth(word) && NumberOf(before) >= 0) {
      std::string_view after = rest;
      const std::string_view day = TakeWord(after);
      const std::string_view year = TakeWord(after);
      if (NumberOf(day) >= 1 && NumberOf(day) <= 31 && (NumberOf(year) > 1900 || year.find(':') != std::string_view::npos) && after.size() > 1) {
        entry.size_bytes = NumberOf(before);
        entry.name = std::string(after.substr(1));  // one blank; more belong to the name
        return entry;
      }
    }
    before = word;
  }
  return std::nullopt;
}

/// "11-22-26  04:52AM       1234 a name"
std::optional<PlaceEntry> DosLine(std::string_view line) {
  const std::string_view date = TakeWord(line);
  const std::string_view time = TakeWord(line);
  const std::string_view size = TakeWord(line);
  if (date.find('-') == std::string_view::npos || time.find(':') == std::string_view::npos || line.size() < 2) return std::nullopt;
  PlaceEntry entry;
  entry.kind = size == "<DIR>" ? PlaceEntry::Kind::kFolder : PlaceEntry::Kind::kFile;
  entry.size_bytes = NumberOf(size);
  // Behind <DIR> the names stand in a column.
  line.remove_prefix(entry.kind == PlaceEntry::Kind::kFolder ? std::min(line.find_first_not_of(' '), line.size()) : 1);
  entry.name = std::string(line);
  if (entry.kind == PlaceEntry::Kind::kFile && entry.size_bytes < 0) return std::nullopt;
  return entry;
}

class FtpPlace final : public FilePlace, public PlaceEditor {
 public:
  FtpPlace(PlaceUrl url, std::unique_ptr<CurlTransfer> curl) : x_url(std::move(url)), x_curl(std::move(curl)) {
    // Below the folder of the log in; "//folder" is one of the server's root, as curl reads it.
    x_root = x_url.path.empty() ? "" : x_url.path.substr(1);
    while (x_root.starts_with('/')) x_root.erase(0, 1);
    if (x_url.path.starts_with("//")) x_root = "/" + x_root;
  }

  Status Check() {
    TRY_ASSIGN(const std::vector<PlaceEntry> entries, Entries(""));
    return {};
  }

  Result<std::vector<PlaceFile>> List(std::string_view glob) override {
    return WalkPlace(glob, [this](const std::string& below) { return Entries(below); },
                     [this](const PlaceEntry& entry, const std::string& name) -> Result<PlaceFile> {
                       if (entry.size_bytes >= 0 && entry.modified_us > 0) return PlaceFile{name, entry.size_bytes, entry.modified_us};
                       return Stat(name);
                     });
  }

  Result<PlaceFile> Stat(const std::string& name) override {
    CurlRequest request;
    request.url = Url(name);
    request.head = true;
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, Nothing()));
    return PlaceFile{name, reply.size_bytes, reply.modified_us};
  }

  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override {
    if (from >= file.size_bytes && from > 0) return {};  // servers differ about a start at the very end
    CurlRequest request;
    request.url = Url(file.name);
    request.from = from;
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, take));
    return {};
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
    return head;
  }

  PlaceEditor* editor() override { return this; }

  Status Rename(const std::string& name, const std::string& to) override {
    const std::size_t slash = to.rfind('/');
    CurlRequest request;
    request.url = Url("");
    if (slash != std::string::npos) {
      for (std::size_t at = to.find('/'); at != std::string::npos; at = to.find('/', at + 1)) {
        request.after.push_back("*MKD " + Absolute(to.substr(0, at)));  // '*': one that is there is as good
      }
    }
    const Result<PlaceFile> there = Stat(to);
    if (there) return Error{ErrorKind::kAlreadyExists, "there is a file of that name: " + to, "", ""};
    if (there.error().kind != ErrorKind::kNotFound && there.error().kind != ErrorKind::kPermission) return there.error();
    request.after.push_back("RNFR " + Absolute(name));
    request.after.push_back("RNTO " + Absolute(to));
    TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, Nothing()));
    return {};
  }

  Status Remove(const std::string& name) override {
    CurlRequest request;
    request.url = Url("");
    request.after.push_back("DELE " + Absolute(name));
    const Result<CurlReply> reply = x_curl->Run(request, Nothing());
    if (reply || reply.error().kind == ErrorKind::kNotFound) return {};
    return reply.error();
  }

 private:
  static const TakeBytes& Nothing() {
    static const TakeBytes kNothing = [](std::string_view) { return Status(); };
    return kNothing;
  }

  std::string Path(const std::string& name) const { return x_root.empty() ? name : x_root + "/" + name; }
  /// For a command, from the root: where libcurl's connection stands is its own business.
  std::string Absolute(const std::string& name) const {
    const std::string path = Path(name);
    return path.starts_with('/') ? path : (x_entry.ends_with('/') ? x_entry : x_entry + "/") + path;
  }

  std::string Url(const std::string& name) const {
    std::string path = EncodedPath(Path(name));
    if (path.starts_with('/')) path = "%2F" + path.substr(1);
    // libcurl's ftps:// is TLS from the first byte; AUTH TLS goes by ftp:// with TLS required.
    const bool implicit = x_url.scheme == "ftps" && x_url.port == 990;
    const std::string host = x_url.host.find(':') == std::string::npos ? x_url.host : "[" + x_url.host + "]";
    return (implicit ? "ftps://" : "ftp://") + host + ":" + std::to_string(x_url.port) + "/" + path;
  }

  Result<std::vector<PlaceEntry>> Entries(const std::string& below) {
    std::string text;
    const TakeBytes take = [&](std::string_view bytes) -> Status {
      text.append(bytes);
      if (text.size() <= (std::size_t{64} << 20)) return {};
      return Error{ErrorKind::kCorruption, "a folder's listing has more than 64 MiB", "name a smaller folder", ""};
    };
    CurlRequest request;
    std::string folder = below;
    while (folder.ends_with('/')) folder.pop_back();
    request.url = Url(folder);
    if (!request.url.ends_with('/')) request.url += "/";
    bool machine = !x_no_machine_list;
    if (machine) {
      request.command = "MLSD";
      const Result<CurlReply> reply = x_curl->Run(request, take);
      if (reply && !reply->entry.empty()) x_entry = reply->entry;
      if (!reply) {
        if (reply.error().kind == ErrorKind::kPermission || reply.error().retryable() || !Unknown(reply.error())) return reply.error();
        machine = false;
        x_no_machine_list = true;
      }
    }
    if (!machine) {
      text.clear();
      request.command.clear();
      TRY_ASSIGN(const CurlReply reply, x_curl->Run(request, take));
      if (!reply.entry.empty()) x_entry = reply.entry;
    }
    std::vector<PlaceEntry> entries;
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (auto entry = machine ? ParseMachineLine(line) : ParseListLine(line)) entries.push_back(*std::move(entry));
    }
    return entries;
  }

  /// The server knows no MLSD.
  static bool Unknown(const Error& error) {
    return error.message.find(": 500") != std::string::npos || error.message.find(": 501") != std::string::npos ||
           error.message.find(": 502") != std::string::npos || error.message.find(": 504") != std::string::npos;
  }

  const PlaceUrl x_url;
  const std::unique_ptr<CurlTransfer> x_curl;
  std::string x_root;
  std::string x_entry;
  bool x_no_machine_list = false;
};

}  // namespace

std::optional<PlaceEntry> ParseMachineLine(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || blank + 1 == line.size()) return std::nullopt;
  PlaceEntry entry;
  entry.name = std::string(line.substr(blank + 1));
  entry.kind = PlaceEntry::Kind::kOther;  // a link, a device
  std::string_view facts = line.substr(0, blank);
  while (!facts.empty()) {
    const std::size_t end = std::min(facts.find(';'), facts.size());
    const std::string_view fact = facts.substr(0, end);
    facts.remove_prefix(std::min(end + 1, facts.size()));
    const std::size_t equals = fact.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = fact.substr(0, equals);
    const std::string_view value = fact.substr(equals + 1);
    if (SameWord(name, "size")) entry.size_bytes = NumberOf(value);
    if (SameWord(name, "modify")) entry.modified_us = MachineTime(value);
    if (!SameWord(name, "type")) continue;
    if (SameWord(value, "cdir") || SameWord(value, "pdir")) return std::nullopt;
    if (SameWord(value, "file")) entry.kind = PlaceEntry::Kind::kFile;
    if (SameWord(value, "dir")) entry.kind = PlaceEntry::Kind::kFolder;
  }
  return entry;
}

std::optional<PlaceEntry> ParseListLine(std::string_view line) {
  if (line.size() < 10) return std::nullopt;
  if (line[0] >= '0' && line[0] <= '9') return DosLine(line);
  if (line.starts_with("total ")) return std::nullopt;
  return UnixLine(line);
}

Result<std::unique_ptr<FilePlace>> OpenFtpPlace(PlaceUrl url, PlaceAccess access) {
  TRY_ASSIGN(auto curl, CurlTransfer::Make(url, std::move(access), "ftp,ftps"));
  auto place = std::make_unique<FtpPlace>(std::move(url), std::move(curl));
  TRY(place->Check());
  return std::unique_ptr<FilePlace>(std::move(place));
}

}  // namespace caudal
