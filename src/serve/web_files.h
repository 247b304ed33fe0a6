// The files of the web page, as they lie in the executable. Thread-safe; they live as long as the process.
#pragma once

#include <string_view>

namespace caudal {

struct WebFile {
  std::string_view bytes;       // gzip
  std::string_view media_type;  // "text/html; charset=utf-8"
  std::string_view etag;        // with its quotes
  bool immutable = false;       // its name changes with its content: browsers may keep it for ever
};

/// The file at that path of a URL ("/index.html", "/assets/app-1f3a.js"), or null.
const WebFile* FindWebFile(std::string_view path);

}  // namespace caudal
