#include "serve/web_files.h"

#include <cstdint>
#include <map>

namespace caudal {
namespace {

/// A line of page.s (web/embed.mjs): texts end with a zero, bytes do not.
struct PageFile {
  const char* path;
  const char* media_type;
  const char* etag;
  std::uint64_t immutable;
  const char* begin;
  const char* end;
};

extern "C" {
extern const PageFile caudal_page_files[];
extern const PageFile caudal_page_files_end[];
}

std::map<std::string_view, WebFile> ReadPage() {
  std::map<std::string_view, WebFile> files;
  for (const PageFile* file = caudal_page_files; file != caudal_page_files_end; ++file) {
    const std::string_view bytes(file->begin, static_cast<std::size_t>(file->end - file->begin));
    files[file->path] = WebFile{bytes, file->media_type, file->etag, file->immutable != 0};
  }
  return files;
}

}  // namespace

const WebFile* FindWebFile(std::string_view path) {
  static const std::map<std::string_view, WebFile> files = ReadPage();
  const auto found = files.find(path);
  return found == files.end() ? nullptr : &found->second;
}

}  // namespace caudal
