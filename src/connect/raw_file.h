// One raw object on its way to staging: digest and compression run beside the parse, on a thread of their own.
// Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

struct RawDigest {
  std::string sha256;  // of the bytes as they came
  std::int64_t size_bytes = 0;
  std::int64_t stored_bytes = 0;
};

class RawFile {
 public:
  /// `compress`: zstd level 1; else the bytes as they are.
  static Result<std::unique_ptr<RawFile>> Open(const std::string& path, bool compress);
  /// Not stored again, only its digest: a replay.
  static std::unique_ptr<RawFile> DigestOnly();
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  /// Errors of the writing thread come with a later call.
  Status Append(std::string_view bytes);
  Result<RawDigest> Finish();

 private:
  struct State;
  explicit RawFile(std::unique_ptr<State> state);
  std::unique_ptr<State> x_state;
};

}  // namespace caudal
