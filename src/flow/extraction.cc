#include "flow/extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/ids.h"
#include "base/json.h"
#include "connect/extract.h"
#include "data/name.h"
#include "flow/candidate.h"
#include "flow/program_paths.h"
#include "flow/secrets.h"
#include "flow/source_place.h"
#include "project/secret_file.h"

namespace caudal {
namespace {

const ConnectorSpec* SpecOf(const Workspace& workspace, const std::string& type) {
  for (const ConnectorSpec& spec : workspace.connectors) {
    if (spec.name == type) return &spec;
  }
  return nullptr;
}

std::string AbsolutePath(const std::string& folder, const std::string& path) {
  return std::filesystem::weakly_canonical(std::filesystem::path(folder) / path).string();
}

/// What the sandbox must open: every path option of the source; a database that is a file comes with its folder, where
/// SQLite keeps its journal. A server's files are not here.
std::vector<std::string> ReadPaths(const Workspace& workspace, const ConnectorSpec& spec, const Json& options) {
  std::vector<std::string> paths;
  for (const OptionSpec& option : spec.options) {
    if (option.type != OptionType::kPath) continue;
    std::string value = JsonString(options, option.name, "");
    if (value.empty()) continue;
    std::string path = AbsolutePath(workspace.project.folder, value);
    const bool database_file = spec.shape == SourceShape::kRelation && !spec.network && !std::filesystem::is_directory(path);
    paths.push_back(database_file ? std::filesystem::path(path).parent_path().string() : path);
  }
  return paths;
}

/// The port that the spec's option names; 0 = any.
int PortOf(const ConnectorSpec& spec, const Json& options) {
  for (const OptionSpec& option : spec.options) {
    if (spec.port_option.empty() || option.name != spec.port_option) continue;
    const std::string fallback = option.default_value.empty() ? "0" : option.default_value;
    const auto given = options.find(option.name);
    const std::string text = given == options.end() ? fallback : given->is_string() ? given->get<std::string>() : given->dump();
    return std::atoi(text.c_str());  // the project was validated: a number, or ${NAME}, which is 0
  }
  return 0;
}

/// A place of files is a folder, or a server that is asked over the network.
Status AddPlace(const Workspace& workspace, const ConnectorSpec& spec, const Json& options, ExtractJob& job) {
  const std::string location = LocationOf(spec, options, job.secrets);
  if (location.empty()) return {};
  if (!IsRemotePlace(location)) {
    job.read_paths.push_back(AbsolutePath(workspace.project.folder, location));
    if (job.kind == ExtractJob::Kind::kCommitted) job.write_folders.push_back(job.read_paths.back());
    return {};
  }
  job.network = true;
  job.tcp_port = PortOfPlace(location);
  TRY_ASSIGN(const SecretFile file, SecretFile::Read(workspace.project.folder));
  const Environment process = ProcessEnvironment();
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    if (auto value = process(name)) return value;
    return file.Entry(name);
  };
  return AddStoreKeys(location, options, environment, workspace.clock, job.secrets);
}

RunOptions OptionsOf(const Workspace& workspace, const TaskContext& context) {
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = context.cancel;
  options.progress = context.progress;
  return options;
}

std::string RawKey(const Node& node, const TaskContext& context, std::int64_t n, const std::string& extension) {
  auto [source, stream] = SplitTable(node.table);
  return fmt::format("raw/{}/{}/date={}/{}-{}-{}-{:06}.{}", source, stream,
                     FormatTimestamp(context.run_started).substr(0, 10), context.run, stream, context.attempt, n,
                     extension);
}

/// Every staged object into raw/, each durable; then the manifest that names them all.
Status KeepRaw(const Workspace& workspace, const Node& node, const TaskContext& context, const std::string& cursor,
               Extracted& extracted) {
  std::int64_t n = 0;
  MoveJob move;
  move.store_url = workspace.store.Url();
  for (const StagedChunk& chunk : extracted.read.chunks) {
    RawObject object;
    object.key = RawKey(node, context, ++n, chunk.extension);
    object.sha256 = chunk.sha256;
    object.size_bytes = chunk.size_bytes;
    object.rows = chunk.rows;
    object.origin = chunk.origin;
    object.format = DumpJson(ChunkFormatToJson(chunk.format));
    move.items.push_back({chunk.raw_path, object.key});
    extracted.raw_keys.push_back(object.key);
    extracted.objects.push_back(std::move(object));
  }
  if (move.items.empty()) return {};
  RunOptions options = OptionsOf(workspace, context);
  JobCost cost;
  TRY_ASSIGN([[maybe_unused]] MoveResult moved, RunMove(workspace.engine, std::move(move), options, &cost));
  RawManifest manifest;
  manifest.cursor_from = cursor;
  manifest.cursor_to = extracted.read.cursor;
  manifest.objects = extracted.objects;
  manifest.replaces = extracted.read.replaces;
  Status kept = workspace.store.PutIfAbsent(RawKey(node, context, 0, "manifest.json"), RawManifestToJson(manifest));
  if (!kept && kept.error().kind != ErrorKind::kAlreadyExists) return kept;
  return {};
}

/// Columns whose types the project does not give, and that are no folders of the table.
std::vector<std::string> UndeclaredColumns(const StreamConfig& stream, const Schema& pinned) {
  std::vector<std::string> names;
  for (const Field& field : pinned.fields) {
    const auto same = [&](const std::string& name) { return SameName(name, field.name); };
    const bool declared = std::any_of(stream.columns.begin(), stream.columns.end(), [&](const ColumnConfig& column) { return column.type && same(column.name); });
    if (!declared && std::none_of(stream.partition_by.begin(), stream.partition_by.end(), same)) names.push_back(field.name);
  }
  return names;
}

/// Nobody counts the rows of a Parquet file on its way in.
Status ExpectSameRows(const std::vector<StagedChunk>& chunks, const std::vector<RawObject>& objects) {
  for (std::size_t i = 0; i < chunks.size() && i < objects.size(); ++i) {
    if (chunks[i].format.kind == "parquet" || chunks[i].rows == objects[i].rows) continue;
    return Error{ErrorKind::kCorruption,
                 fmt::format("{} was loaded as {} records, and is read as {} now", objects[i].key, objects[i].rows, chunks[i].rows),
                 "nothing was changed; please report this with the raw file", ""};
  }
  return {};
}

Json RawObjectToJson(const RawObject& o) {
  return {{"key", o.key}, {"sha256", o.sha256}, {"size_bytes", o.size_bytes}, {"rows", o.rows}, {"origin", o.origin},
          {"format", o.format}};
}

}  // namespace

std::string RawManifestToJson(const RawManifest& manifest) {
  Json objects = Json::array();
  for (const RawObject& object : manifest.objects) objects.push_back(RawObjectToJson(object));
  return DumpJson({{"cursor_from", manifest.cursor_from},
                   {"cursor_to", manifest.cursor_to},
                   {"definition", manifest.definition},
                   {"objects", objects},
                   {"replaces", manifest.replaces}});
}

Result<RawManifest> RawManifestFromJson(const std::string& text) {
  TRY_ASSIGN(Json json, ParseJson(text, "a raw manifest"));
  RawManifest manifest;
  manifest.cursor_from = JsonString(json, "cursor_from", "");
  manifest.cursor_to = JsonString(json, "cursor_to", "");
  manifest.definition = JsonString(json, "definition", "");
  manifest.replaces = json.value("replaces", std::map<std::string, std::int64_t>{});
  for (const Json& o : json.value("objects", Json::array())) {
    RawObject object;
    object.key = JsonString(o, "key", "");
    object.sha256 = JsonString(o, "sha256", "");
    object.size_bytes = JsonInt(o, "size_bytes", 0);
    object.rows = JsonInt(o, "rows", 0);
    object.origin = JsonString(o, "origin", "");
    object.format = JsonString(o, "format", "");
    manifest.objects.push_back(std::move(object));
  }
  return manifest;
}

std::string DefinitionOfStream(const SourceConfig& source, const StreamConfig& stream) {
  Json columns = Json::array();
  for (const ColumnConfig& column : stream.columns) {
    columns.push_back({column.name, column.type ? column.type->ToSql() : ""});
  }
  return Sha256Hex(DumpJson({source.type, source.options, stream.options, stream.primary_key, columns,
                             static_cast<int>(stream.write_disposition), stream.partition_by}));
}

std::string ReadInWords(const Extracted& extracted, std::int64_t rows) {
  const std::vector<StagedChunk>& chunks = extracted.read.chunks;
  const bool files = extracted.read.relation_columns.empty() &&
                     std::none_of(chunks.begin(), chunks.end(), [](const StagedChunk& chunk) { return chunk.format.kind == "pages"; });
  const std::string read = fmt::format("{} {} read", rows, rows == 1 ? "row" : "rows");
  return files ? fmt::format("{} {}, {}", chunks.size(), chunks.size() == 1 ? "file" : "files", read) : read;
}

Result<ExtractJob> MakeExtractJob(const Workspace& workspace, const SourceConfig& source, const StreamConfig* stream,
                                  const ExtractRequest& what) {
  const ConnectorSpec* spec = SpecOf(workspace, source.type);
  CHECK(spec, "the project was validated against the same connectors");
  ExtractJob job;
  job.kind = what.kind;
  job.connector = source.type;
  job.network = spec->network;
  job.staging_folder = what.staging;
  TRY_ASSIGN(job.secrets, SecretsOf(workspace.project, source));
  TRY_ASSIGN(Json options, ParseJson(source.options, "the options of source " + source.name));
  job.read_paths = ReadPaths(workspace, *spec, options);
  job.tcp_port = PortOf(*spec, options);
  TRY(AddPlace(workspace, *spec, options, job));
  if (!spec->program_option.empty()) {
    job.program = AbsolutePath(workspace.project.folder, JsonString(options, spec->program_option, ""));
    TRY_ASSIGN(job.program_paths, ProgramPaths(job.program, source.place.ToString()));
    for (const Json& path : options.value("read", Json::array())) {
      job.program_reads.push_back(AbsolutePath(workspace.project.folder, path.get<std::string>()));
    }
  }
  SourceRequest request;
  request.source = source.name;
  request.stream = stream ? stream->name : "";
  request.project_folder = workspace.project.folder;
  request.options = source.options;
  request.stream_options = stream ? stream->options : "{}";
  request.cursor = what.cursor;
  request.pinned = what.pinned;
  request.raw_key = what.raw_key;
  request.sample_rows = what.sample_rows;
  request.widens = what.widens;
  request.keys = what.keys;
  job.request = SourceRequestToJson(request);
  return job;
}

Result<Extracted> Extract(const Workspace& workspace, const Node& node, const TaskContext& context,
                          const ReadFrom& from, const Staging& staging, JobCost& cost) {
  const SourceConfig& source = workspace.project.source(node);
  const StreamConfig& stream = workspace.project.stream(node);
  std::string definition = DefinitionOfStream(source, stream);
  if (context.manifest && context.manifest->cursor_from == from.cursor && context.manifest->definition == definition) {
    TRY_ASSIGN(Extracted again, Replay(workspace, node, context, context.manifest->objects, staging, cost));
    again.read.cursor = context.manifest->cursor_to;
    again.read.replaces = context.manifest->replaces;
    return again;
  }
  TRY_ASSIGN(std::string folder, staging.Folder("extract"));
  ExtractRequest request{ExtractJob::Kind::kRead, from.cursor, from.pinned, RawKey(node, context, 1, "parquet"), folder};
  request.keys = from.keys;
  if (stream.contract.data_type == ContractMode::kEvolve) request.widens = UndeclaredColumns(stream, from.pinned);
  TRY_ASSIGN(ExtractJob job, MakeExtractJob(workspace, source, &stream, request));
  JobCost spent;
  auto answer = RunExtract(workspace.engine, std::move(job), OptionsOf(workspace, context), &spent);
  AddCost(cost, spent);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.where.empty()) error.where = stream.place.ToString();
    return error;
  }
  Extracted extracted;
  TRY_ASSIGN(Json json, ParseJson(answer->answer, "an extract worker's answer"));
  TRY_ASSIGN(extracted.read, StagedReadFromJson(json));
  TRY(KeepRaw(workspace, node, context, from.cursor, extracted));
  return extracted;
}

Result<Extracted> Replay(const Workspace& workspace, const Node& node, const TaskContext& context,
                         const std::vector<RawObject>& objects, const Staging& staging, JobCost& cost) {
  const SourceConfig& source = workspace.project.source(node);
  ExtractJob job;
  job.kind = ExtractJob::Kind::kReplay;
  job.connector = source.type;
  TRY_ASSIGN(job.staging_folder, staging.Folder("replay"));
  ReplayRequest request;
  for (const RawObject& object : objects) {
    ReplayRequest::Object from;
    TRY_ASSIGN(from.path, workspace.LocalFile(object.key, job.staging_folder));
    from.key = object.key;
    from.origin = object.origin;
    from.sha256 = object.sha256;
    TRY_ASSIGN(Json format, ParseJson(object.format, "the format of " + object.key));
    TRY_ASSIGN(from.format, ChunkFormatFromJson(format));
    from.format.numbered = from.format.kind == "parquet" && object.origin == node.table;  // a relation's, written by ourselves
    job.read_paths.push_back(from.path);
    request.objects.push_back(std::move(from));
  }
  job.request = ReplayRequestToJson(request);
  JobCost spent;
  auto answer = RunExtract(workspace.engine, std::move(job), OptionsOf(workspace, context), &spent);
  AddCost(cost, spent);
  if (!answer) return std::move(answer).error();
  TRY_ASSIGN(Json json, ParseJson(answer->answer, "an extract worker's answer"));
  Extracted extracted;
  TRY_ASSIGN(extracted.read, StagedReadFromJson(json));
  TRY(ExpectSameRows(extracted.read.chunks, objects));
  extracted.objects = objects;
  for (const RawObject& object : objects) extracted.raw_keys.push_back(object.key);
  return extracted;
}

}  // namespace caudal
