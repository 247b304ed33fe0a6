// Names that nobody else has, and digests. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// A random UUID, version 4, lower case.
std::string NewUuid();

/// Sixteen random hex digits, for names of temporary things.
std::string NewToken();

/// Lower-case hex of the SHA-256 of `bytes`.
std::string Sha256Hex(std::string_view bytes);

/// SHA-256 of bytes that arrive in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::string_view bytes);
  /// Ends the digest; no other call may follow.
  std::string Hex();

 private:
  void* x_context;
};

/// SHA-256 of a file's bytes. Errors: kNotFound, kPermission, kUnavailable.
Result<std::string> Sha256OfFile(const std::string& path);

/// The same for MD5: only for checksum files that others wrote.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  void Update(std::string_view bytes);
  std::string Hex();

 private:
  void* x_context;
};

}  // namespace caudal
