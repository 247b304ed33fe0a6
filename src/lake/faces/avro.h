// Avro's object container files: writing them field by field, reading them back by the schema inside. Codec null.
// Source: Avro 1.11 specification, "Object Container Files". Pure; one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

/// The binary encoding of one value after the other, in the order of the schema's fields.
class AvroEncoder {
 public:
  AvroEncoder& Long(std::int64_t value);  // int, too
  AvroEncoder& Boolean(bool value);
  AvroEncoder& Float(float value);
  AvroEncoder& Double(double value);
  AvroEncoder& Bytes(std::string_view value);  // string, too
  AvroEncoder& Fixed(std::string_view value);
  /// The branch of a union; of ["null", X] 0 is null, without a value, and 1 is X.
  AvroEncoder& Branch(std::int64_t index) { return Long(index); }
  /// An array or map: `count` items follow, then End(). None of a count of 0.
  AvroEncoder& Items(std::int64_t count);
  AvroEncoder& End() { return Long(0); }

  const std::string& bytes() const { return x_bytes; }

 private:
  std::string x_bytes;
};

using AvroSync = std::array<char, 16>;

/// A container of `count` records that `records` holds, in one block (no block for none).
std::string AvroContainer(std::string_view schema, const std::map<std::string, std::string>& metadata,
                          const AvroSync& sync, std::int64_t count, std::string_view records);

struct AvroFile {
  std::map<std::string, std::string> metadata;  // avro.schema and avro.codec, too
  std::vector<Json> records;
};
/// Every record as JSON: unions as the value of their branch, bytes and fixed as strings of those bytes (which need not
/// be UTF-8), arrays and maps as they are. Errors: kCorruption with the byte, for whatever is not such a file.
Result<AvroFile> ReadAvroContainer(std::string_view bytes);

}  // namespace caudal
