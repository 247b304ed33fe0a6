// Deletes at a database: an increment does not show them, so from time to time all keys of the source are read with it,
// and published rows whose key is not among them go. Keys come first; of a server whose statements share no snapshot (mysql), a
// row that came back in between stands among the changes, and stays.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "data/name.h"
#include "flow/candidate.h"
#include "flow/load.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr const char* kDomain = "keys_compared";

std::string Listed(const Schema& keys) {
  std::string sql;
  for (const Field& field : keys.fields) sql += (sql.empty() ? "" : ", ") + QuoteIdentifier(field.name);
  return sql;
}

}  // namespace

/// The key, where the stream's time to compare has come: its word is `incremental: {compare_keys}`.
std::vector<std::string> Load::KeysToCompare() const {
  if (!Merges() || Replaces() || !x_base || x_base->files.empty() || x_base->key != x_stream.primary_key) return {};
  const auto options = ParseJson(x_stream.options, "stream options");
  const auto incremental = options ? options->find("incremental") : Json::const_iterator();
  if (!options || incremental == options->end()) return {};
  const auto every = ParseDuration(JsonString(*incremental, "compare_keys", ""));
  if (!every) return {};
  const auto known = x_base->domains.find(kDomain);
  if (known == x_base->domains.end()) return x_stream.primary_key;
  const auto last = ParseJson(known->second, "domain keys_compared");
  const auto at = ParseTimestamp(last && last->is_string() ? last->get<std::string>() : "");
  if (at && x_workspace.clock.Now() - *at < *every) return {};
  return x_stream.primary_key;
}

/// A source without any row is more often one that lies than one that was emptied.
Status Load::RefuseToLoseAll() const {
  if (!ComparesKeys() || x_extracted.read.keys > 0 || x_base->rows() == 0) return {};
  return Error{ErrorKind::kCheckFailed,
               fmt::format("{}: the source has no row any more, and comparing keys would delete all {} rows of the table", x_node.table, x_base->rows()),
               "if the source was emptied in earnest: caudal run -s " + x_node.table + " --full-refresh", x_stream.place.ToString()};
}

Schema Load::KeySchema() const {
  Schema keys;
  for (const std::string& key : x_stream.primary_key) keys.fields.push_back(*x_base->schema.Find(key));
  return keys;
}

/// Step "gone": keys of published rows that the source has no more; view "touching": those, and the keys of "changes".
Status Load::AddGoneKeys(ComputeJob& find) const {
  const Schema keys = KeySchema();
  find.inputs.push_back({"caudal_candidate", "source_keys", keys, {x_extracted.read.keys_file}, false});
  find.inputs.push_back(InputOf(*x_base, "caudal_candidate", "published", KeptFiles(x_base.get(), {}), x_workspace.RootOf(x_node.table), false));
  const std::string list = Listed(keys);
  TRY_ASSIGN(Step gone, Write("gone", fmt::format("SELECT {0} FROM caudal_candidate.published ANTI JOIN caudal_candidate.source_keys USING ({0}) ANTI JOIN changes USING ({0})", list), keys, {}));
  find.steps.push_back(std::move(gone));
  find.steps.push_back(Step::Run("touching", fmt::format("CREATE VIEW touching AS SELECT {0} FROM changes UNION ALL SELECT {0} FROM gone", list)));
  return {};
}

/// View "merged": the rows of "changes", and those that go.
void Load::AddKeysAsDeleted(ComputeJob& rewrite, const Schema& keys, std::vector<std::string> files) {
  rewrite.inputs.push_back({"caudal_candidate", "gone", keys, std::move(files), false});
  rewrite.steps.push_back(Step::Run("merged", fmt::format("CREATE VIEW merged AS SELECT *, false AS _deleted FROM changes UNION ALL BY NAME "
                                                          "SELECT {}, true AS _deleted FROM caudal_candidate.gone", Listed(keys))));
}

}  // namespace caudal
