#include "project/retention_words.h"

namespace caudal {

std::optional<Retention> RetentionOf(MapReader& reader, const FileContext& file) {
  const YamlNode* node = reader.Take("retention");
  if (node == nullptr) return std::nullopt;
  Retention retention;
  MapReader words(*node, "'retention'", file);
  retention.older_than = words.Duration("older_than");
  retention.versions = words.Integer("keep_versions", 1, 1'000'000);
  if (const auto grace = words.Duration("reader_grace")) retention.reader_grace = *grace;
  words.Finish();
  const bool rule = node->Find("older_than") != nullptr || node->Find("keep_versions") != nullptr;
  if (node->is_map() && !node->members.empty() && !rule) {
    file.Add(*node, "'retention' does not say which versions go", "write {older_than: 30d}, {keep_versions: 10}, or both; {} keeps all");
  }
  return retention;
}

}  // namespace caudal
