#include "lake/faces/avro.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::string_view kMagic{"Obj\x01", 4};
constexpr int kDeepest = 64;

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : x_bytes(bytes) {}

  bool done() const { return x_at == x_bytes.size(); }

  Error Broken(const std::string& why) const {
    return Error{ErrorKind::kCorruption, "not a valid Avro file, byte " + std::to_string(x_at) + ": " + why, "", ""};
  }

  Result<std::string_view> Take(std::int64_t size) {
    if (size < 0 || static_cast<std::uint64_t>(size) > x_bytes.size() - x_at) return Broken("it ends too early");
    auto piece = x_bytes.substr(x_at, static_cast<std::size_t>(size));
    x_at += piece.size();
    return piece;
  }

  Result<std::int64_t> Long() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      TRY_ASSIGN(auto byte, Take(1));
      auto bits = static_cast<unsigned char>(byte[0]);
      value |= static_cast<std::uint64_t>(bits & 0x7F) << shift;
      if ((bits & 0x80) == 0) return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    return Broken("a number of more than 64 bits");
  }

  Result<std::string> Bytes() {
    TRY_ASSIGN(auto size, Long());
    TRY_ASSIGN(auto piece, Take(size));
    return std::string(piece);
  }

  /// Calls `item` for each item of an array or map.
  template <typename Item>
  Status Blocks(const Item& item) {
    for (;;) {
      TRY_ASSIGN(auto count, Long());
      if (count == 0) return {};
      if (count < 0) {
        count = -count;
        TRY(Long());
      }
      // Every item takes a byte or more, unless its type is null, of which we have no arrays.
      if (static_cast<std::uint64_t>(count) > x_bytes.size() - x_at) return Broken("more items than bytes");
      for (std::int64_t i = 0; i < count; ++i) TRY(item());
    }
  }

  Result<Json> Value(const Json& type, int depth) {
    if (depth > kDeepest) return Broken("its schema is nested too deeply");
    if (type.is_array()) {
      TRY_ASSIGN(auto branch, Long());
      if (branch < 0 || static_cast<std::size_t>(branch) >= type.size()) return Broken("a union without such a branch");
      return Value(type[static_cast<std::size_t>(branch)], depth + 1);
    }
    if (type.is_object()) return Named(type, JsonString(type, "type", ""), depth);
    if (type.is_string()) return Primitive(type.get<std::string>());
    return Broken("a schema that is none");
  }

 private:
  Result<Json> Named(const Json& type, const std::string& name, int depth) {
    if (type.contains("type") && !type["type"].is_string()) return Value(type["type"], depth + 1);
    if (name == "record") {
      Json record = Json::object();
      auto fields = type.find("fields");
      if (fields == type.end() || !fields->is_array()) return Broken("a record without fields");
      for (const Json& field : *fields) {
        if (!field.is_object() || !field.contains("type")) return Broken("a field without a type");
        TRY_ASSIGN(record[JsonString(field, "name", "")], Value(field["type"], depth + 1));
      }
      return record;
    }
    if (name == "array" || name == "map") {
      auto inner = type.find(name == "array" ? "items" : "values");
      if (inner == type.end()) return Broken("a list without a type of its items");
      Json list = name == "array" ? Json::array() : Json::object();
      TRY(Blocks([&]() -> Status {
        if (name == "array") {
          TRY_ASSIGN(Json item, Value(*inner, depth + 1));
          list.push_back(std::move(item));
        } else {
          TRY_ASSIGN(std::string key, Bytes());
          TRY_ASSIGN(list[key], Value(*inner, depth + 1));
        }
        return {};
      }));
      return list;
    }
    if (name == "fixed") {
      TRY_ASSIGN(auto piece, Take(JsonInt(type, "size", -1)));
      return Json(std::string(piece));
    }
    return Primitive(name);
  }

  Result<Json> Primitive(const std::string& name) {
    if (name == "null") return Json(nullptr);
    if (name == "int" || name == "long") {
      TRY_ASSIGN(auto value, Long());
      return Json(value);
    }
    if (name == "boolean") {
      TRY_ASSIGN(auto byte, Take(1));
      return Json(byte[0] != 0);
    }
    if (name == "string" || name == "bytes") {
      TRY_ASSIGN(auto value, Bytes());
      return Json(std::move(value));
    }
    if (name == "float") return Floating<float>();
    if (name == "double") return Floating<double>();
    return Broken("the type '" + name + "'");
  }

  template <typename Float>
  Result<Json> Floating() {
    TRY_ASSIGN(auto piece, Take(sizeof(Float)));
    Float value = 0;
    std::memcpy(&value, piece.data(), sizeof value);
    return Json(static_cast<double>(value));
  }

  std::string_view x_bytes;
  std::size_t x_at = 0;
};

}  // namespace

static_assert(std::endian::native == std::endian::little, "Avro's numbers are copied as they lie in memory");

AvroEncoder& AvroEncoder::Long(std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (; bits >= 0x80; bits >>= 7) x_bytes.push_back(static_cast<char>((bits & 0x7F) | 0x80));
  x_bytes.push_back(static_cast<char>(bits));
  return *this;
}

AvroEncoder& AvroEncoder::Boolean(bool value) {
  x_bytes.push_back(value ? '\1' : '\0');
  return *this;
}

AvroEncoder& AvroEncoder::Float(float value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  x_bytes.append(bytes, sizeof value);
  return *this;
}

AvroEncoder& AvroEncoder::Double(double value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  x_bytes.append(bytes, sizeof value);
  return *this;
}

AvroEncoder& AvroEncoder::Bytes(std::string_view value) {
  Long(static_cast<std::int64_t>(value.size()));
  x_bytes += value;
  return *this;
}

AvroEncoder& AvroEncoder::Fixed(std::string_view value) {
  x_bytes += value;
  return *this;
}

AvroEncoder& AvroEncoder::Items(std::int64_t count) { return count > 0 ? Long(count) : *this; }

std::string AvroContainer(std::string_view schema, const std::map<std::string, std::string>& metadata,
                          const AvroSync& sync, std::int64_t count, std::string_view records) {
  AvroEncoder head;
  head.Fixed(kMagic).Items(static_cast<std::int64_t>(metadata.size()) + 2);
  head.Bytes("avro.schema").Bytes(schema).Bytes("avro.codec").Bytes("null");
  for (const auto& [key, value] : metadata) head.Bytes(key).Bytes(value);
  std::string_view mark(sync.data(), sync.size());
  head.End().Fixed(mark);
  if (count > 0) head.Long(count).Bytes(records).Fixed(mark);
  return head.bytes();
}

Result<AvroFile> ReadAvroContainer(std::string_view bytes) {
  Decoder file(bytes);
  TRY_ASSIGN(auto magic, file.Take(static_cast<std::int64_t>(kMagic.size())));
  if (magic != kMagic) return file.Broken("it does not begin with Obj1");
  AvroFile read;
  TRY(file.Blocks([&]() -> Status {
    TRY_ASSIGN(std::string key, file.Bytes());
    TRY_ASSIGN(read.metadata[key], file.Bytes());
    return {};
  }));
  if (auto codec = read.metadata.find("avro.codec"); codec != read.metadata.end() && codec->second != "null") {
    return Error{ErrorKind::kUnsupported, "an Avro file of codec " + codec->second, "", ""};
  }
  TRY_ASSIGN(Json schema, ParseJson(read.metadata["avro.schema"], "the schema of an Avro file"));
  TRY_ASSIGN(auto sync, file.Take(static_cast<std::int64_t>(AvroSync{}.size())));
  while (!file.done()) {
    TRY_ASSIGN(auto count, file.Long());
    TRY_ASSIGN(std::string block, file.Bytes());
    TRY_ASSIGN(auto mark, file.Take(static_cast<std::int64_t>(sync.size())));
    if (mark != sync) return file.Broken("a block that does not end with the file's mark");
    Decoder records(block);
    for (std::int64_t i = 0; i < count; ++i) {
      TRY_ASSIGN(Json record, records.Value(schema, 0));
      read.records.push_back(std::move(record));
    }
    if (!records.done()) return file.Broken("a block with bytes after its records");
  }
  return read;
}

}  // namespace caudal
