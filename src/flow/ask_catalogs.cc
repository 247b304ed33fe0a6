#include "flow/ask_catalogs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "flow/preview.h"
#include "project/table_pattern.h"

namespace caudal {
namespace {

constexpr std::size_t kMostAtOnce = 8;
constexpr std::size_t kMostNamed = 12;

std::vector<OfferedTable> TablesOfOffers(const std::vector<StreamOffer>& offers) {
  std::vector<OfferedTable> tables;
  for (const StreamOffer& offer : offers) {
    OfferedTable& table = tables.emplace_back();
    table.schema = offer.schema;
    table.table = offer.table.empty() ? offer.name : offer.table;
    table.key = offer.key;
    for (const Field& field : offer.columns.fields) table.columns.push_back(field.name);
  }
  return tables;
}

class Asking {
 public:
  Asking(const Workspace& workspace, const SourceConfig& source, const CancelFlag* cancel)
      : x_workspace(workspace), x_source(source), x_cancel(cancel), x_spec(SpecOf(workspace, source)) {}

  CatalogAnswer Do(const SourceCatalog* before, bool& changed) {
    CatalogAnswer answer;
    answer.source = x_source.name;
    answer.first = before == nullptr;
    auto offers = OfferedStreams(x_workspace, x_source, x_cancel);
    if (!offers) {
      answer.error = std::move(offers).error();
      if (answer.error->where.empty()) answer.error->where = x_source.place.ToString();
      return answer;
    }
    answer.tables = offers->size();
    const std::string now = FormatTimestampMs(x_workspace.clock.Now());
    SourceCatalog next = NextCatalog(before, TablesOfOffers(*offers), now);
    std::erase_if(next.tables, [&](const OfferedTable& table) { return !table.gone.empty() && !IsKept(table); });
    for (const OfferedTable& table : next.tables) {
      if (!IsMeant(x_source, x_spec, table)) continue;
      const std::string name = table.schema.empty() ? table.table : table.schema + "." + table.table;
      if (!answer.first && table.since == now) answer.appeared.push_back(name);
      if (table.gone == now) answer.gone.push_back(name);
    }
    changed = IsNews(before, next);
    if (changed) {
      if (Status kept = WriteCatalog(x_workspace.project.folder, x_source.name, next); !kept) {
        answer.error = std::move(kept).error();
        changed = false;
      }
    }
    // Another run may have asked since the project was read.
    if (!changed && !answer.error && before != nullptr) changed = before->asked != x_source.asked;
    return answer;
  }

 private:
  static const ConnectorSpec& SpecOf(const Workspace& workspace, const SourceConfig& source) {
    const auto spec = std::find_if(workspace.connectors.begin(), workspace.connectors.end(), [&](const ConnectorSpec& s) { return s.name == source.type; });
    CHECK(spec != workspace.connectors.end(), "the project was validated against the same connectors");
    return *spec;
  }

  /// A table that is gone is remembered while the lake has it.
  bool IsKept(const OfferedTable& table) const {
    if (!IsMeant(x_source, x_spec, table)) return false;
    const auto latest = LatestOrNone(x_workspace.TableOf(x_source.name + "." + LakeNameOf(table, HomeSchemaOf(x_source, x_spec))));
    return !latest || *latest;
  }

  const Workspace& x_workspace;
  const SourceConfig& x_source;
  const CancelFlag* x_cancel;
  const ConnectorSpec& x_spec;
};

std::string Some(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kMostNamed);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return shown == names.size() ? text : text + fmt::format(" and {} more", names.size() - shown);
}

}  // namespace

std::vector<const SourceConfig*> SourcesToAsk(const Project& project, const std::set<std::string>& tables) {
  std::vector<const SourceConfig*> sources;
  for (const SourceConfig& source : project.sources) {
    if (source.patterns.empty()) continue;
    const std::string prefix = source.name + ".";
    const auto first = tables.lower_bound(prefix);
    const bool touched = first != tables.end() && first->starts_with(prefix);
    if (tables.empty() || source.asked.empty() || touched) sources.push_back(&source);
  }
  return sources;
}

CatalogLook AskCatalogs(const Workspace& workspace, const std::vector<const SourceConfig*>& sources, const CancelFlag* cancel) {
  CatalogLook look;
  if (sources.empty()) return look;
  const Catalogs known = ReadCatalogs(workspace.project.folder);
  look.answers.resize(sources.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> changed{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < sources.size(); i = next++) {
      const auto before = known.find(sources[i]->name);
      bool news = false;
      look.answers[i] = Asking(workspace, *sources[i], cancel).Do(before == known.end() ? nullptr : &before->second, news);
      if (news) changed = true;
    }
  };
  std::vector<std::thread> threads;
  try {
    while (threads.size() + 1 < std::min(sources.size(), kMostAtOnce)) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: this one asks them all.
  }
  work();
  for (std::thread& thread : threads) thread.join();
  look.changed = changed;
  return look;
}

std::string AnswerInWords(const CatalogAnswer& answer) {
  if (answer.error) {
    return fmt::format("{}: which tables it has could not be asked, what is known of it counts: {}", answer.source, answer.error->message);
  }
  if (answer.first) return fmt::format("{}: asked which tables it has: {}", answer.source, answer.tables);
  std::string text;
  if (!answer.appeared.empty()) text = fmt::format("{} new: {}", answer.appeared.size(), Some(answer.appeared));
  if (!answer.gone.empty()) text += fmt::format("{}{} gone: {}", text.empty() ? "" : "; ", answer.gone.size(), Some(answer.gone));
  return text.empty() ? "" : answer.source + ": tables at the source: " + text;
}

}  // namespace caudal
