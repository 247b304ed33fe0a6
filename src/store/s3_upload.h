// Objects that are created once: in one request, or in parts. Both stand on the server's `If-None-Match: *`, and both end
// every doubt by reading: an object carries the token of the writer that made it. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "store/s3_client.h"

namespace caudal {

/// Creates the object. Errors: kAlreadyExists (somebody else's), kCommitUnknown, kUnavailable (certainly not created), ...
/// `before_last_byte`: WireRequest's; may be empty.
Status CreateOnce(S3Client& client, const std::string& key, std::string_view bytes, const std::function<void()>& before_last_byte);

/// Gives the bytes [offset, offset + length) of what is sent.
using PartReader = std::function<Result<std::string>(std::int64_t offset, std::int64_t length)>;

/// Creates an object of `size_bytes` in parts of `part_bytes` or more; a part that fails is sent again, and an upload that
/// fails is aborted. Errors as above.
Status CreateInParts(S3Client& client, const std::string& key, std::int64_t size_bytes, std::int64_t part_bytes, const PartReader& read);

/// The same with parts that the server copies from another of its objects.
Status CreateFromObject(S3Client& client, const std::string& key, const std::string& from, std::int64_t size_bytes, std::int64_t part_bytes);

}  // namespace caudal
