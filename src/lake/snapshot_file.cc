#include "lake/snapshot_file.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "lake/delta_schema.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

constexpr std::string_view kMagic = "caudal-snapshot 1\n";
constexpr std::size_t kDigestBytes = 64;

class Writer {
 public:
  void Number(std::int64_t value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (int byte = 0; byte < 8; ++byte, bits >>= 8) x_bytes += static_cast<char>(bits & 0xFF);
  }
  void Text(std::string_view text) {
    Number(static_cast<std::int64_t>(text.size()));
    x_bytes += text;
  }
  std::string x_bytes{kMagic};
};

/// Reads past the end as zeros and empty texts, and remembers it.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : x_rest(bytes) {}

  std::int64_t Number() {
    if (!Has(8)) return 0;
    std::uint64_t bits = 0;
    for (std::size_t byte = 8; byte-- > 0;) bits = bits << 8 | static_cast<unsigned char>(x_rest[byte]);
    x_rest.remove_prefix(8);
    return static_cast<std::int64_t>(bits);
  }
  std::string Text() {
    const std::int64_t size = Number();
    if (size < 0 || !Has(static_cast<std::uint64_t>(size))) return "";
    std::string text(x_rest.substr(0, static_cast<std::size_t>(size)));
    x_rest.remove_prefix(text.size());
    return text;
  }
  bool ended() const { return x_rest.empty(); }
  bool broken() const { return x_broken; }

 private:
  bool Has(std::uint64_t bytes) {
    x_broken = x_broken || bytes > x_rest.size();
    return !x_broken;
  }
  std::string_view x_rest;
  bool x_broken = false;
};

Error Broken(const std::string& why) { return Error{ErrorKind::kCorruption, "a kept snapshot is broken: " + why, "", ""}; }

Json HeadOf(const Snapshot& snapshot) {
  return Json{{"version", snapshot.version},
              {"time", MillisecondsOf(snapshot.time)},
              {"instant", snapshot.instant},
              {"created", MillisecondsOf(snapshot.created)},
              {"id", snapshot.table_id},
              {"name", snapshot.name},
              {"schema", DeltaSchemaText(snapshot.schema)},
              {"partitionColumns", snapshot.partition_columns},
              {"configuration", snapshot.configuration},
              {"domains", snapshot.domains},
              {"files", snapshot.files.size()}};
}

std::map<std::string, std::string> TextsOf(const Json& head, const char* name) {
  std::map<std::string, std::string> texts;
  if (auto it = head.find(name); it != head.end() && it->is_object()) {
    for (const auto& [key, value] : it->items()) {
      if (value.is_string()) texts[key] = value.get<std::string>();
    }
  }
  return texts;
}

Result<Snapshot> SnapshotOfHead(const Json& head) {
  Snapshot snapshot;
  snapshot.version = JsonInt(head, "version", -1);
  snapshot.time = FromMilliseconds(JsonInt(head, "time", 0));
  snapshot.instant = JsonString(head, "instant", "");
  snapshot.created = FromMilliseconds(JsonInt(head, "created", 0));
  snapshot.table_id = JsonString(head, "id", "");
  snapshot.name = JsonString(head, "name", "");
  TRY_ASSIGN(snapshot.schema, ReadDeltaSchema(JsonString(head, "schema", "")));
  if (auto columns = head.find("partitionColumns"); columns != head.end() && columns->is_array()) {
    for (const Json& column : *columns) {
      if (column.is_string()) snapshot.partition_columns.push_back(column.get<std::string>());
    }
  }
  snapshot.configuration = TextsOf(head, "configuration");
  snapshot.key = KeyColumns(snapshot.configuration);
  snapshot.domains = TextsOf(head, "domains");
  return snapshot;
}

void WriteFile(const LiveFile& file, Writer& out) {
  out.Text(file.path);
  out.Number(static_cast<std::int64_t>(file.partition.size()));
  for (const auto& [column, value] : file.partition) {
    out.Text(column);
    out.Number(value ? 1 : 0);
    out.Text(value.value_or(""));
  }
  out.Number(file.size_bytes);
  out.Number(file.rows);
  out.Text(file.file_id);
  out.Text(file.instant);
  out.Number(file.added_version);
  out.Text(file.sha256);
  out.Number(file.stats ? 1 : 0);
  out.Text(file.stats ? *file.stats : std::string());
}

LiveFile ReadFile(Reader& in) {
  LiveFile file;
  file.path = in.Text();
  for (std::int64_t left = in.Number(); left > 0 && !in.broken(); --left) {
    Cell& cell = file.partition[in.Text()];
    const bool has_value = in.Number() != 0;
    std::string value = in.Text();
    if (has_value) cell = std::move(value);
  }
  file.size_bytes = in.Number();
  file.rows = in.Number();
  file.file_id = in.Text();
  file.instant = in.Text();
  file.added_version = in.Number();
  file.sha256 = in.Text();
  const bool has_stats = in.Number() != 0;
  std::string stats = in.Text();
  if (has_stats) file.stats = std::make_shared<const std::string>(std::move(stats));
  return file;
}

}  // namespace

std::string SnapshotBytes(const Snapshot& snapshot) {
  Writer out;
  out.Text(DumpJson(HeadOf(snapshot)));
  for (const LiveFile& file : snapshot.files) WriteFile(file, out);
  out.x_bytes += Sha256Hex(out.x_bytes);
  return std::move(out.x_bytes);
}

Result<Snapshot> ReadSnapshot(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + kDigestBytes || !bytes.starts_with(kMagic)) return Broken("it is none of this version");
  const std::string_view body = bytes.substr(0, bytes.size() - kDigestBytes);
  if (Sha256Hex(body) != bytes.substr(body.size())) return Broken("its SHA-256 differs");
  Reader in(body.substr(kMagic.size()));
  TRY_ASSIGN(const Json head, ParseJson(in.Text(), "a kept snapshot"));
  TRY_ASSIGN(Snapshot snapshot, SnapshotOfHead(head));
  for (long long left = JsonInt(head, "files", 0); left > 0 && !in.broken(); --left) snapshot.files.push_back(ReadFile(in));
  if (in.broken() || !in.ended()) return Broken("its length is wrong");
  return snapshot;
}

}  // namespace caudal
