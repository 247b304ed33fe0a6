#include "lake/partition_path.h"

#include "base/clock.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";
constexpr std::string_view kHiveEscaped = "\"#%'*/:=?\\\x7f{[]^";
constexpr std::string_view kHex = "0123456789ABCDEF";

void AppendEscaped(std::string& out, char c) {
  auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

std::string HiveEscape(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || kHiveEscaped.find(c) != std::string_view::npos) {
      AppendEscaped(escaped, c);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

bool IsPlainUriByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.~/=").find(c) != std::string_view::npos;
}

}  // namespace

Result<PartitionValues> NormalPartition(const Schema& schema, const std::vector<std::string>& partition_columns,
                                        const PartitionValues& values) {
  PartitionValues normal;
  for (const std::string& column : partition_columns) {
    for (const auto& [name, value] : values) {
      if (!SameName(name, column)) continue;
      Cell& cell = normal[column];
      if (!value || value->empty()) continue;  // Delta cannot tell '' from NULL
      const Field* field = schema.Find(column);
      if (field != nullptr && field->type.kind == TypeKind::kTimestamptz) {
        TRY_ASSIGN(Timestamp time, ParseTimestamp(*value));
        cell = FormatTimestamp(time);
      } else if (field != nullptr && field->type.kind == TypeKind::kDate && (value->size() != 10 || !ParseTimestamp(*value))) {
        return Error{ErrorKind::kInvalidArgument, "the partition value " + column + " = '" + *value + "' is no date of the years 1 to 9999",
                     "leave such rows out, or give them NULL", ""};
      } else {
        cell = *value;
      }
    }
  }
  if (normal.size() == partition_columns.size() && normal.size() == values.size()) return normal;
  std::string wanted, given;
  for (const auto& column : partition_columns) wanted += (wanted.empty() ? "" : ", ") + column;
  for (const auto& [name, value] : values) given += (given.empty() ? "" : ", ") + name;
  return Error{ErrorKind::kInvalidArgument,
               "a partition has a value for each of (" + wanted + "), this one for (" + given + ")", "", ""};
}

std::string PartitionFolder(const std::vector<std::string>& partition_columns, const PartitionValues& values) {
  std::string folder;
  for (const std::string& column : partition_columns) {
    if (!folder.empty()) folder += '/';
    auto it = values.find(column);
    folder += HiveEscape(column) + "=";
    folder += it != values.end() && it->second ? HiveEscape(*it->second) : std::string(kHiveNull);
  }
  return folder;
}

std::string EncodeUriPath(std::string_view path) {
  std::string uri;
  for (char c : path) {
    if (IsPlainUriByte(c)) {
      uri += c;
    } else {
      AppendEscaped(uri, c);
    }
  }
  return uri;
}

}  // namespace caudal
