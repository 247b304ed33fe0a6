#include "connect/hive_path.h"

#include "base/percent.h"
#include "data/schema.h"

namespace caudal {

std::vector<PartitionValue> PartitionValuesOf(std::string_view path) {
  std::vector<PartitionValue> values;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const std::string_view folder = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    const std::size_t equals = folder.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    PartitionValue& value = values.emplace_back(PartitionValue{PercentDecoded(folder.substr(0, equals)), std::nullopt});
    const std::string_view text = folder.substr(equals + 1);
    if (text != "__HIVE_DEFAULT_PARTITION__") value.value = PercentDecoded(text);
  }
  return values;
}

std::string ColumnsBeside(const std::vector<PartitionValue>& values) {
  std::string names;
  for (const PartitionValue& one : values) names += (names.empty() ? "lower(" : ", lower(") + QuoteLiteral(one.column) + ")";
  return names.empty() ? "*" : "COLUMNS(lambda c: lower(c) NOT IN (" + names + "))";
}

}  // namespace caudal
