// Singer taps: programs that print what they read as lines of JSON. The tap is the user's, runs beside the worker with rights
// of its own (connect/program.h), once to say what it offers and once to read. Order: the tap's. Delivery: at least once
// from the source, as good as the tap's state. Messages: https://hub.meltano.com/singer/spec; what is understood:
// docs/connectors/singer.md.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "base/json.h"
#include "connect/http_client.h"
#include "connect/options.h"
#include "connect/program.h"
#include "connect/singer_message.h"
#include "connect/source.h"
#include "data/schema.h"

namespace caudal {

void Register_singer(Registry& registry);

namespace {

constexpr std::size_t kMostCatalogBytes = std::size_t{64} << 20;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "singer";
  spec.summary = "Any Singer tap: a program that prints what it reads from its source";
  spec.shape = SourceShape::kBytes;
  spec.program_option = "command";
  spec.discovers = true;
  spec.table_option = "tap_stream";
  spec.checks_streams = true;
  spec.incremental = true;
  spec.may_repeat = true;
  spec.delivery = "at least once: a tap repeats rows near its state, and a key makes them one";
  spec.options = {MakeOption("command", OptionType::kPath, "", "The tap's program, such as venv/bin/tap-github"),
                  MakeOption("config", OptionType::kObject, "", "The tap's own configuration; a secret is a value ${NAME}"),
                  MakeOption("read", OptionType::kStringList, "", "Files and folders that the tap may read, beside its own")};
  spec.options[0].required = true;
  spec.stream_options = {
      MakeOption("tap_stream", OptionType::kString, "", "The stream's name in the tap's catalog; the stream's own, if not given"),
      MakeOption("select", OptionType::kStringList, "", "Only these columns; the tap may add what it cannot leave out")};
  return spec;
}

/// The metadata of a catalog's entry at a breadcrumb; made where it is missing.
Json& MetadataAt(Json& entry, const Json& breadcrumb) {
  Json& all = entry["metadata"];
  if (!all.is_array()) all = Json::array();
  for (Json& one : all) {
    if (one.is_object() && one.value("breadcrumb", Json()) == breadcrumb) {
      if (!one["metadata"].is_object()) one["metadata"] = Json::object();
      return one["metadata"];
    }
  }
  all.push_back(Json{{"breadcrumb", breadcrumb}, {"metadata", Json::object()}});
  return all.back()["metadata"];
}

std::string NameOf(const Json& entry) {
  const std::string stream = JsonString(entry, "stream", "");
  return JsonString(entry, "tap_stream_id", stream);
}

std::vector<std::string> TextsAt(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return texts;
  for (const Json& item : *found) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string TypeOf(const Json& property) {
  std::vector<std::string> types = TextsAt(property, "type");
  if (property.contains("type") && property["type"].is_string()) types.push_back(property["type"].get<std::string>());
  const auto is = [&](const char* type) { return std::find(types.begin(), types.end(), type) != types.end(); };
  const std::string format = JsonString(property, "format", "");
  if (is("string")) return format == "date-time" ? "TIMESTAMPTZ" : format == "date" ? "DATE" : "VARCHAR";
  if (is("integer")) return "BIGINT";
  if (is("number")) return "DOUBLE";
  return is("boolean") ? "BOOLEAN" : "VARCHAR";
}

Result<StreamOffer> OfferOf(Json& entry) {
  StreamOffer offer;
  offer.name = NameOf(entry);
  const Json schema = entry.value("schema", Json::object());
  const Json properties = schema.is_object() ? schema.value("properties", Json::object()) : Json::object();
  for (const auto& [name, property] : properties.items()) {
    TRY_ASSIGN(Type type, ParseType(TypeOf(property)));
    offer.columns.fields.push_back(Field{name, std::move(type), 0});
  }
  const Json& about = MetadataAt(entry, Json::array());
  offer.key = TextsAt(about, "table-key-properties");
  if (offer.key.empty()) offer.key = TextsAt(entry, "key_properties");
  offer.cursor_candidates = TextsAt(about, "valid-replication-keys");
  offer.rows_estimate = JsonInt(about, "row-count", -1);
  return offer;
}

class SingerSource final : public BytesSource {
 public:
  void Use(Program* program) override { x_program = program; }

  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(Json catalog, Catalog(request));
    if (request.stream.empty()) return {};
    TRY(Select(request, catalog));
    return {};
  }

  Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(Json catalog, Catalog(request));
    std::vector<StreamOffer> offers;
    for (Json& entry : catalog["streams"]) {
      TRY_ASSIGN(StreamOffer offer, OfferOf(entry));
      offers.push_back(std::move(offer));
    }
    return offers;
  }

  Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) override;

 private:
  Result<Json> Catalog(const SourceRequest& request);
  Result<std::vector<std::string>> Select(const SourceRequest& request, Json& catalog) const;
  Status Take(std::string_view line, ChunkSink& sink);
  Status Put(ChunkSink& sink);
  /// What a run that has ended badly comes to.
  Error Ended(const std::string& doing) const;

  Program* x_program = nullptr;
  std::string x_config;
  std::string x_origin;
  std::vector<std::string> x_secrets;  // what the tap prints may hold what it was given
  // Of a read.
  std::vector<std::string> x_names;  // that it may have in messages
  std::string x_stream;              // that it has, once one came
  std::string x_state;      // the last one; "" = none came
  std::string x_piece;      // whole lines that the sink has not had
  bool x_begun = false;
  std::int64_t x_others = 0;  // records of other streams
};

Error SingerSource::Ended(const std::string& doing) const {
  const ProgramEnd& end = x_program->end();
  std::string words = end.last_words;
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  constexpr std::size_t kMost = 1500;
  if (words.size() > kMost) words.erase(0, words.find('\n', words.size() - kMost) + 1);
  words = Redacted(std::move(words), x_secrets);
  return Error{ErrorKind::kUnavailable, fmt::format("the tap {} failed {} ({}){}{}", x_origin, doing, end.how, words.empty() ? "" : "; its last words:\n", words),
               "correct `config:` of the source if that is the cause; the tap's own page says what it needs", ""};
}

Result<Json> SingerSource::Catalog(const SourceRequest& request) {
  CHECK(x_program != nullptr, "the spec names a program");
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  const Json& config = options.At("config");
  x_config = config.is_object() ? DumpJson(config) : "{}";
  x_secrets = request.secrets;
  x_origin = std::filesystem::path(options.Text("command", "tap")).filename().string();
  TRY(x_program->Start({{"--config"}, {x_config, true}, {"--discover"}}));
  std::string text;
  for (;;) {
    TRY_ASSIGN(const std::string_view bytes, x_program->Read());
    if (bytes.empty()) break;
    text += bytes;
    if (text.size() > kMostCatalogBytes) return Error{ErrorKind::kUnsupported, "the tap's catalog has more than 64 MiB", "limit it in the tap's `config:`", ""};
  }
  if (!x_program->end().well) return Ended("to say what it offers");
  Json catalog = Json::parse(text, nullptr, false);
  if (catalog.is_object() && catalog.contains("streams") && catalog["streams"].is_array()) return catalog;
  return Error{ErrorKind::kUnsupported, fmt::format("what {} --discover printed is no catalog: {}", x_origin, Redacted(text.substr(0, 200), x_secrets)),
               "`command:` names a Singer tap that knows --discover", ""};
}

/// Marks in the catalog what is wanted. Gives the names that the stream may have in messages: taps take the one or the other.
Result<std::vector<std::string>> SingerSource::Select(const SourceRequest& request, Json& catalog) const {
  TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
  const std::string wanted = stream.Text("tap_stream", request.stream);
  const std::vector<std::string> columns = stream.Texts("select");
  const std::string key = stream.Text("incremental.cursor", "");
  if (stream.Has("incremental.initial_value") || stream.Has("incremental.lag")) {
    return Error{ErrorKind::kUnsupported, fmt::format("stream {}: a tap decides itself from where it reads, so `initial_value` and `lag` say nothing", request.stream),
                 "most taps have `start_date` for it in their `config:`", ""};
  }
  std::vector<std::string> names;
  std::string others;
  for (Json& entry : catalog["streams"]) {
    const bool chosen = NameOf(entry) == wanted;
    Json& about = MetadataAt(entry, Json::array());
    about["selected"] = chosen;
    entry["selected"] = chosen;  // where older taps look
    others += (others.empty() ? "" : ", ") + NameOf(entry);
    if (!chosen) continue;
    names = {wanted, JsonString(entry, "stream", wanted)};
    const std::string method = JsonString(about, "forced-replication-method", key.empty() ? "FULL_TABLE" : "INCREMENTAL");
    about["replication-method"] = entry["replication_method"] = method;
    if (!key.empty()) about["replication-key"] = entry["replication_key"] = key;
    const Json properties = entry.value("schema", Json::object()).value("properties", Json::object());
    for (const std::string& column : columns) {
      if (properties.contains(column)) continue;
      return Error{ErrorKind::kNotFound, fmt::format("the stream {} of the tap has no column '{}', which `select:` names", wanted, column),
                   "run `caudal connection test`, and look at the tap's page", ""};
    }
    for (const auto& [property, schema] : properties.items()) {
      const bool taken = columns.empty() || std::find(columns.begin(), columns.end(), property) != columns.end();
      MetadataAt(entry, Json{"properties", property})["selected"] = taken;
    }
  }
  if (!names.empty()) return names;
  return Error{ErrorKind::kNotFound, fmt::format("the tap {} has no stream '{}'", x_origin, wanted), "write `tap_stream:` for the stream; there are: " + others, ""};
}

Status SingerSource::Put(ChunkSink& sink) {
  Status status = sink.Append(x_piece);
  x_piece.clear();
  return status;
}

Status SingerSource::Take(std::string_view line, ChunkSink& sink) {
  if (line.find_first_not_of(" \r") == std::string_view::npos) return {};
  Result<SingerMessage> read = ReadSingerMessage(line);
  if (!read) {
    Error error = std::move(read).error();
    error.message = Redacted(std::move(error.message), x_secrets);
    return error;
  }
  const SingerMessage message = *std::move(read);
  if (message.kind == SingerKind::kState && message.state != "null") x_state = message.state;
  if (message.kind == SingerKind::kRecord) {
    if (x_stream.empty() && std::find(x_names.begin(), x_names.end(), message.stream) != x_names.end()) x_stream = message.stream;
    if (message.stream != x_stream) ++x_others;
    if (message.stream == x_stream && !x_begun) {
      ChunkFormat format;
      format.kind = "singer";
      format.selector = {x_stream};
      TRY(sink.Begin(x_origin + " " + x_stream, format));
      x_begun = true;
    }
  }
  // Before the first record there is nothing to keep but schemas.
  if (x_begun || message.kind == SingerKind::kSchema) x_piece.append(line).push_back('\n');
  return x_begun && x_piece.size() >= kPieceBytes ? Put(sink) : Status();
}

Result<ReadOutcome> SingerSource::Read(const SourceRequest& request, ChunkSink& sink) {
  TRY_ASSIGN(Json catalog, Catalog(request));
  TRY_ASSIGN(x_names, Select(request, catalog));
  std::vector<ProgramWord> words = {{"--config"}, {x_config, true}, {"--catalog"}, {DumpJson(catalog), true}};
  std::string before;
  if (!request.cursor.empty()) {
    TRY_ASSIGN(const Json cursor, ParseJson(request.cursor, "the cursor of a singer source"));
    if (cursor.contains("state")) before = DumpJson(cursor["state"]);
  }
  if (!before.empty()) words.insert(words.end(), {{"--state"}, {before, true}});
  TRY(x_program->Start(words));
  std::string line;
  for (;;) {
    TRY_ASSIGN(std::string_view bytes, x_program->Read());
    if (bytes.empty()) break;
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
      if (!sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      line.append(bytes.substr(0, end));
      TRY(Take(line, sink));
      line.clear();
    }
    line.append(bytes);
    if (line.size() > kMostCatalogBytes) return Error{ErrorKind::kCorruption, "the tap printed a line of more than 64 MiB", "select fewer columns", ""};
  }
  if (!x_program->end().well) return Ended("to read " + request.stream);
  if (!line.empty()) TRY(Take(line, sink));
  ReadOutcome outcome;
  outcome.cursor = request.cursor;
  outcome.unchanged = !x_begun;
  if (x_begun) {
    TRY(Put(sink));
    TRY(sink.End());
    const std::string& state = x_state.empty() ? before : x_state;
    outcome.cursor = state.empty() ? "{}" : "{\"state\":" + state + "}";
  }
  if (x_others > 0) outcome.notes.push_back(fmt::format("{} records of streams that were not asked for were left out", x_others));
  return outcome;
}

std::string NextOfTap(const Json& /*stream_options*/, const Json& cursor) {
  return cursor.contains("state") ? "what is new by the tap's state" : "everything";
}

}  // namespace

void Register_singer(Registry& registry) {
  registry.Add(Connector{Spec(), [] { return std::make_unique<SingerSource>(); }, nullptr, NextOfTap});
}

}  // namespace caudal
