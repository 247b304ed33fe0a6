// Which tables a source has, as it said when it was asked last. Remembered beside the project's other state, so that a project
// with patterns is read without reaching any source. Values. Format: docs/formats/state.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace caudal {

struct OfferedTable {
  std::string schema;  // "" = the source has none
  std::string table;
  std::vector<std::string> key, columns;  // no columns: nobody knows them
  std::string since;  // when it was seen first, UTC
  std::string gone;   // when it was missed first, UTC; "" = it is there
  bool operator==(const OfferedTable&) const = default;
};

struct SourceCatalog {
  std::string first_asked;
  std::string asked;  // when it last had something to say: a source that has what it had is not noted again
  std::vector<OfferedTable> tables;  // ordered by schema and table
};

/// By source.
using Catalogs = std::map<std::string, SourceCatalog>;

/// What `now` says after `before` (null = never asked), at `at`. Tables that are missing now stay as gone.
SourceCatalog NextCatalog(const SourceCatalog* before, std::vector<OfferedTable> now, const std::string& at);
/// Whether a project that was read with `before` is another one with `after`.
bool IsNews(const SourceCatalog* before, const SourceCatalog& after);

/// All that are remembered. One that cannot be read was never asked.
Catalogs ReadCatalogs(const std::string& project_folder);
/// Whole or not at all; of two at once the last one wins. Errors: kPermission, kUnavailable.
Status WriteCatalog(const std::string& project_folder, const std::string& source, const SourceCatalog& catalog);
/// Where they are: changes there change what the project is.
std::string CatalogFolder(const std::string& project_folder);

}  // namespace caudal
