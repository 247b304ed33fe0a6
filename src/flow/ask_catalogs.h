// Asks sources with patterns which tables they have, and remembers it: what a run, or people, do before they look at the project.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/workspace.h"

namespace caudal {

struct CatalogAnswer {
  std::string source;
  std::size_t tables = 0;  // that the user can read there
  bool first = false;      // nobody knew any before
  std::vector<std::string> appeared, gone;  // that patterns mean: "sales.orders"
  std::optional<Error> error;               // what was known counts on
};

struct CatalogLook {
  std::vector<CatalogAnswer> answers;
  /// The project is another one than the workspace's: it should be read anew.
  bool changed = false;
};

/// Sources with patterns that `tables` are of, and those that were never asked; all of them where `tables` is empty.
std::vector<const SourceConfig*> SourcesToAsk(const Project& project, const std::set<std::string>& tables);

/// Several at once. An answer that cannot be remembered is an error of its source.
CatalogLook AskCatalogs(const Workspace& workspace, const std::vector<const SourceConfig*>& sources, const CancelFlag* cancel);

/// "erp: 2 new tables: a, b; 1 is gone: c"; "" where there is nothing to tell.
std::string AnswerInWords(const CatalogAnswer& answer);

}  // namespace caudal
