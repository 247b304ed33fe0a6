#include "connect/file_promise.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json.h"
#include "connect/dialect.h"

namespace caudal {
namespace {

constexpr std::size_t kMaxManifest = std::size_t{64} << 20;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// The first word that is such a digest; also `SHA256 (name) = digest`.
std::string DigestIn(std::string_view text, std::size_t digits) {
  std::string word;
  for (const char c : std::string(text) + "\n") {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) {
      word.push_back(c);
      continue;
    }
    if (word.size() == digits && IsHex(word)) return Lower(word);
    word.clear();
  }
  return "";
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> Fields(const std::string& line, char delimiter) {
  std::vector<std::string> fields{""};
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && inside && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back().push_back(line[++i]);
    } else if (line[i] == '"') {
      inside = !inside;
    } else if (line[i] == delimiter && !inside) {
      fields.emplace_back();
    } else {
      fields.back().push_back(line[i]);
    }
  }
  return fields;
}

Error NoManifest(const std::string& name, const std::string& why) {
  return Error{ErrorKind::kCorruption, fmt::format("manifest {} {}", name, why), "ask for it again, or correct `manifest:`", ""};
}

/// One file's words, whatever form they had.
class Entry {
 public:
  Entry(const std::string& manifest, std::map<std::string, std::string> words) : x_manifest(manifest), x_words(std::move(words)) {}

  Status AddTo(std::map<std::string, Promise>& all) const {
    const std::string file = Word({"file", "name", "path", "key", "filename"});
    if (file.empty()) return NoManifest(x_manifest, "has an entry without `file`");
    if (file[0] == '/' || ("/" + file + "/").find("/../") != std::string::npos) {
      return NoManifest(x_manifest, "names a file outside of its folder: " + file);
    }
    Promise promise;
    promise.sha256 = Lower(Word({"sha256"}));
    promise.md5 = Lower(Word({"md5"}));
    if (!IsHex(promise.sha256) || (promise.sha256.size() != 64 && !promise.sha256.empty())) return NoManifest(x_manifest, "has a sha256 that is none, of " + file);
    if (!IsHex(promise.md5) || (promise.md5.size() != 32 && !promise.md5.empty())) return NoManifest(x_manifest, "has an md5 that is none, of " + file);
    TRY(Number({"size", "bytes", "size_bytes"}, file, promise.size_bytes));
    TRY(Number({"rows", "row_count", "records"}, file, promise.rows));
    promise.manifest = x_manifest;
    promise.digest_by = "manifest " + x_manifest;
    const std::size_t slash = x_manifest.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : x_manifest.substr(0, slash + 1);
    all[folder + (file.starts_with("./") ? file.substr(2) : file)] = std::move(promise);
    return {};
  }

 private:
  std::string Word(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto found = x_words.find(name);
      if (found != x_words.end()) return found->second;
    }
    return "";
  }

  Status Number(std::initializer_list<const char*> names, const std::string& file, std::int64_t& number) const {
    const std::string text = Word(names);
    if (text.empty()) return {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0) return {};
    return NoManifest(x_manifest, fmt::format("has '{}' of {} where a number belongs: {}", *names.begin(), file, text));
  }

  const std::string& x_manifest;
  std::map<std::string, std::string> x_words;
};

Status FromJson(const std::string& name, std::string_view text, std::map<std::string, Promise>& all) {
  const Result<Json> json = ParseJson(std::string(text), name);
  if (!json) return NoManifest(name, "is no JSON: " + json.error().message);
  const Json& list = json->is_object() && json->contains("files") ? (*json)["files"] : *json;
  if (!list.is_array()) return NoManifest(name, "has no list of files");
  for (const Json& item : list) {
    std::map<std::string, std::string> words;
    if (item.is_string()) words["file"] = item.get<std::string>();
    if (item.is_object()) {
      for (const auto& [key, value] : item.items()) {
        if (!value.is_null()) words[Lower(key)] = value.is_string() ? value.get<std::string>() : value.dump();
      }
    }
    TRY(Entry(name, std::move(words)).AddTo(all));
  }
  return {};
}

Status FromLines(const std::string& name, const std::vector<std::string>& lines, std::map<std::string, Promise>& all) {
  const std::string first = lines.front().substr(0, lines.front().find_first_of(" \t*"));
  const bool sums = (first.size() == 64 || first.size() == 32) && IsHex(first);
  const char delimiter = sums ? ' ' : GuessDelimiter(lines.front());
  const std::vector<std::string> head = sums ? std::vector<std::string>{} : Fields(Lower(lines.front()), delimiter);
  for (std::size_t i = sums ? 0 : 1; i < lines.size(); ++i) {
    std::map<std::string, std::string> words;
    if (sums) {  // "<digest>  name" or "<digest> *name"
      const std::size_t blank = lines[i].find(' ');
      if (blank == std::string::npos || blank + 2 >= lines[i].size()) return NoManifest(name, fmt::format("has no file in line {}", i + 1));
      words[blank == 64 ? "sha256" : "md5"] = lines[i].substr(0, blank);
      words["file"] = lines[i].substr(blank + 2);
    } else {
      const std::vector<std::string> fields = Fields(lines[i], delimiter);
      if (fields.size() != head.size()) return NoManifest(name, fmt::format("has {} fields in line {}, and {} in its header", fields.size(), i + 1, head.size()));
      for (std::size_t f = 0; f < head.size(); ++f) words[head[f]] = fields[f];
    }
    TRY(Entry(name, std::move(words)).AddTo(all));
  }
  return {};
}

}  // namespace

Error BrokenPromise(const std::string& name, const std::string& why) {
  return Error{ErrorKind::kCorruption, fmt::format("{} {}", name, why), "ask for the file again", ""};
}

Result<std::map<std::string, Promise>> ParseManifest(const std::string& name, std::string_view text) {
  std::map<std::string, Promise> all;
  const std::vector<std::string> lines = Lines(text);
  if (lines.empty()) return NoManifest(name, "is empty");
  const char first = lines.front()[lines.front().find_first_not_of(" \t")];
  if (first == '{' || first == '[') {
    TRY(FromJson(name, text, all));
  } else {
    TRY(FromLines(name, lines, all));
  }
  return all;
}

Result<std::map<std::string, Promise>> ReadManifests(FilePlace& place, const std::string& glob) {
  std::map<std::string, Promise> all;
  TRY_ASSIGN(const std::vector<PlaceFile> manifests, place.List(glob));
  for (const PlaceFile& file : manifests) {
    TRY_ASSIGN(const std::string text, place.Head(file.name, kMaxManifest));
    if (static_cast<std::int64_t>(text.size()) < file.size_bytes) return NoManifest(file.name, "has more than 64 MiB");
    TRY_ASSIGN(auto one, ParseManifest(file.name, text));
    for (auto& [name, promise] : one) all[name] = std::move(promise);
  }
  return all;
}

bool IsSideFile(std::string_view name) { return name.ends_with(".sha256") || name.ends_with(".md5"); }

Result<std::set<std::string>> SideFilesOf(FilePlace& place, const std::string& glob) {
  std::set<std::string> names;
  for (const char* suffix : {".sha256", ".md5"}) {
    TRY_ASSIGN(const std::vector<PlaceFile> files, place.List(glob + suffix));
    for (const PlaceFile& file : files) names.insert(file.name);
  }
  return names;
}

Status AddSideFiles(FilePlace& place, const std::set<std::string>& there, const std::string& name, Promise& promise) {
  const auto read = [&](const char* suffix, std::size_t digits, std::string& digest) -> Status {
    if (!there.contains(name + suffix)) return {};
    const Result<std::string> text = place.Head(name + suffix, 4096);
    if (!text) return text.error().kind == ErrorKind::kNotFound ? Status() : Status(text.error());
    digest = DigestIn(*text, digits);
    if (digest.empty()) return BrokenPromise(name + suffix, "holds no checksum");
    promise.digest_by = std::string("its ") + suffix;
    return {};
  };
  TRY(read(".sha256", 64, promise.sha256));
  return read(".md5", 32, promise.md5);
}

}  // namespace caudal
