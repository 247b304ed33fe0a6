// What a database server and its client library say, as an error that tells which part is wrong and what to do. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

struct ServerMeaning {
  std::string_view said;  // part of the message
  ErrorKind kind;
  std::string_view what;  // {host}, {port}, {user}, {database}, {sslmode}, {stream} stand for the options
  std::string_view next;
};

/// The first of `meanings` that fits `error`; what is special stands before what is general. `words`: the server's own, told
/// behind the meaning. False where none fits.
bool Explained(std::span<const ServerMeaning> meanings, const SourceRequest& request, const Options& options,
               const std::string& words, Error& error);

/// A value that its column's type cannot hold.
Error ExplainedValue(const std::string& words, const Error& error);

/// At most 300 bytes of it, on one line.
std::string OneLine(std::string_view words);

}  // namespace caudal
