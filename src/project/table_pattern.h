// `tables:` of a source: each pattern stands for every table that it matches, by what the source's catalog gave last. What comes of
// it are streams like any other; nobody after this knows patterns. Pure. Words: docs/project.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/yaml.h"
#include "project/file_context.h"

namespace caudal {

/// The entries of `tables:`, in their order: a list, or one alone.
std::vector<const YamlNode*> PatternItems(const YamlNode& tables);

struct PatternRequest {
  const ConnectorSpec* spec = nullptr;
  const SourceCatalog* catalog = nullptr;                    // null: the source was never asked
  const std::map<std::string, Schema>* published = nullptr;  // what the lake has stands in for a catalog that nobody has
};

/// Adds the streams, and what is expected of them. A table that fits no more is a warning and a stream that is refused.
void ExpandPatterns(SourceConfig& source, const PatternRequest& request, ProblemList& problems, std::map<std::string, Expectation>& expectations);

struct PatternStream {
  StreamConfig stream;
  const TablePattern* pattern = nullptr;  // of the source
};
/// The stream that a name stands for which the source's catalog does not have, or that nobody asked for: of the first pattern that
/// could mean it. Refused, where it is known that it cannot be loaded.
std::optional<PatternStream> StreamByReference(const SourceConfig& source, const ConnectorSpec& spec, const std::string& name);

/// "sales.Order Lines" -> "sales_order_lines", "orders" of the schema that the source's names leave out -> "orders".
std::string LakeNameOf(const OfferedTable& table, const std::string& home);
/// Whether a pattern of the source matches the table.
bool IsMeant(const SourceConfig& source, const ConnectorSpec& spec, const OfferedTable& table);
/// The schema that the source's names leave out; "" = it has none.
std::string HomeSchemaOf(const SourceConfig& source, const ConnectorSpec& spec);
/// The table that a stream reads; absent where it reads none by name (a query).
std::optional<OfferedTable> TableOfStream(const SourceConfig& source, const StreamConfig& stream, const ConnectorSpec& spec);

}  // namespace caudal
