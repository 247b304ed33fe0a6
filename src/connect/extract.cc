#include "connect/extract.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/json.h"
#include "connect/replay.h"
#include "connect/sample_sink.h"
#include "connect/staging_sink.h"

namespace caudal {
namespace {

/// The options of a stream above, which an http stream's own options hold as `parents`; null where it is none.
Json* StreamAbove(Json& stream, const std::string& name) {
  const auto parents = stream.find("parents");
  if (parents == stream.end() || !parents->is_object()) return nullptr;
  for (auto& [parent, options] : parents->items()) {
    if (parent == name) return &options;
    if (Json* const further = StreamAbove(options, name)) return further;
  }
  return nullptr;
}

/// A secret's name is its place among the options: "client.auth.token", or "streams.<stream>.endpoint.…" among the
/// stream's.
Status MergeSecrets(const std::map<std::string, std::string>& secrets, SourceRequest& request) {
  if (secrets.empty()) return {};
  TRY_ASSIGN(Json options, ParseJson(request.options, "options"));
  TRY_ASSIGN(Json stream, ParseJson(request.stream_options.empty() ? "{}" : request.stream_options, "stream options"));
  constexpr std::string_view kStreams = "streams.";
  for (const auto& [name, value] : secrets) {
    Json* at = &options;
    std::string_view path = name;
    if (path.starts_with(kStreams)) {
      path.remove_prefix(kStreams.size());
      const std::string owner(path.substr(0, path.find('.')));
      at = owner == request.stream ? &stream : StreamAbove(stream, owner);
      if (at == nullptr) continue;
      path.remove_prefix(std::min(path.size(), owner.size() + 1));
    }
    for (;;) {
      const std::size_t dot = path.find('.');
      if (!at->is_object() && !at->is_null()) {
        return Error{ErrorKind::kInternal, "a secret has no place among the options: " + name, "", ""};
      }
      at = &(*at)[std::string(path.substr(0, dot))];
      if (dot == std::string_view::npos) break;
      path.remove_prefix(dot + 1);
    }
    *at = value;
    request.secrets.push_back(value);
  }
  request.options = DumpJson(options);
  request.stream_options = DumpJson(stream);
  return {};
}

Result<RawDigest> DigestFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return Error{ErrorKind::kInternal, fmt::format("cannot read a staged file: {}: {}", std::strerror(errno), path), "", ""};
  }
  const std::unique_ptr<RawFile> digest = RawFile::DigestOnly();
  std::string buffer(std::size_t{1} << 20, '\0');
  Status status;
  for (std::size_t n; status && (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    status = digest->Append(std::string_view(buffer).substr(0, n));
  }
  std::fclose(file);
  TRY(std::move(status));
  return digest->Finish();
}

std::unique_ptr<BytesSource> BytesOf(const Connector& connector, Program* program) {
  std::unique_ptr<BytesSource> source = connector.make_bytes();
  if (program != nullptr) source->Use(program);
  return source;
}

Result<StagedRead> ReadBytes(const Connector& connector, const SourceRequest& request, StagingOptions options, Program* program) {
  const std::unique_ptr<BytesSource> source = BytesOf(connector, program);
  StagingSink sink(std::move(options));
  if (request.sample_rows > 0) {
    SampleSink sample(sink);
    auto looked = source->Read(request, sample);
    if (!looked && !sample.full()) return std::move(looked).error();
    TRY_ASSIGN(StagedRead read, sink.Finish());
    if (looked) read.notes = std::move(looked->notes);
    return read;
  }
  TRY_ASSIGN(ReadOutcome outcome, source->Read(request, sink));
  if (!sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
  TRY_ASSIGN(StagedRead read, sink.Finish());
  read.cursor = std::move(outcome.cursor);
  read.unchanged = outcome.unchanged;
  read.notes = std::move(outcome.notes);
  return read;
}

/// The rows as texts, and the columns with the types that they should have.
Result<RelationRunner::Copied> CopyTexts(const RelationRead& plan, const RelationRunner& runner, const std::string& path,
                                         const std::string& source_file) {
  TRY_ASSIGN(const Rows shape, runner.ask({plan.database, "SELECT * FROM (" + plan.sql + ") LIMIT 0"}));
  TRY_ASSIGN(const RelationTexts texts, plan.as_texts(shape.schema));
  RelationRead read;
  read.database = plan.database;
  read.sql = texts.sql;
  read.cursor_sql = texts.cursor_sql;
  TRY_ASSIGN(RelationRunner::Copied copied, runner.copy(read, {path, "", source_file}, Schema{}));
  copied.columns = shape.schema;
  return copied;
}

Status Prepare(RelationSource& source, const SourceRequest& request, const RelationRunner& runner) {
  TRY_ASSIGN(const std::vector<RelationQuestion> questions, source.Before(request));
  if (questions.empty()) return {};
  std::vector<Rows> answers;
  for (const RelationQuestion& question : questions) {
    Result<Rows> rows = runner.ask(question);
    if (!rows) return source.Explain(request, std::move(rows).error());
    answers.push_back(*std::move(rows));
  }
  return source.Learn(request, answers);
}

Result<StagedRead> ReadRelation(const Connector& connector, const SourceRequest& request, const RelationRunner& runner,
                                const std::string& folder) {
  const std::unique_ptr<RelationSource> source = connector.make_relation();
  TRY(Prepare(*source, request, runner));
  TRY_ASSIGN(RelationRead plan, source->Read(request));
  if (request.sample_rows > 0) {
    plan.sql = fmt::format("SELECT * FROM (\n{}\n) LIMIT {}", plan.sql, request.sample_rows);
    plan.cursor_sql = plan.keys_sql = plan.numbered_sql = "";
    plan.as_texts = nullptr;
  }
  const std::string origin = fmt::format("{}.{}", request.source, request.stream);
  StagedRead read;
  if (plan.unchanged && plan.keys_sql.empty()) {
    read.cursor = request.cursor;
    read.unchanged = true;
    return read;
  }
  Schema pinned = request.pinned;
  if (!request.widens.empty()) {
    Result<Rows> shape = runner.ask({plan.database, "SELECT * FROM (" + plan.sql + ") LIMIT 0"});
    if (!shape) return source->Explain(request, std::move(shape).error());
    for (Field& field : pinned.fields) {
      if (std::find(request.widens.begin(), request.widens.end(), field.name) == request.widens.end()) continue;
      const Field* now = shape->schema.Find(field.name);
      if (now != nullptr && Widens(field.type, now->type)) field.type = now->type;
    }
  }
  const std::string& file = request.raw_key.empty() ? origin : request.raw_key;
  const std::string path = folder + "/raw-0.parquet";
  const std::string keys_file = plan.keys_sql.empty() ? "" : folder + "/keys.parquet";
  Result<RelationRunner::Copied> answer = runner.copy(plan, {path, keys_file, file}, pinned);
  bool as_texts = false;
  if (!answer && plan.as_texts && source->IsAboutAValue(answer.error())) {
    Result<RelationRunner::Copied> texts = CopyTexts(plan, runner, path, file);
    as_texts = texts.has_value();
    if (as_texts) answer = std::move(texts);  // else the first error tells the column
  }
  if (!answer) return source->Explain(request, std::move(answer).error());
  const RelationRunner::Copied copied = *std::move(answer);
  ReadOutcome outcome;
  if (request.sample_rows == 0) {
    TRY_ASSIGN(outcome, source->Cursor(request, copied.cursor));
  }
  read.cursor = std::move(outcome.cursor);
  read.notes = std::move(outcome.notes);
  read.relation_columns = DumpJson(SchemaToJson(copied.columns));
  if (!keys_file.empty() && as_texts) read.notes.push_back("keys were not compared: there are values of another type");
  if (!as_texts) read.keys_file = keys_file;
  read.keys = copied.keys;
  read.unchanged = copied.file.rows == 0;
  if (copied.file.rows == 0) return read;
  TRY_ASSIGN(RawDigest digest, DigestFile(copied.file.path));
  StagedChunk chunk;
  chunk.raw_path = copied.file.path;
  chunk.extension = "parquet";
  chunk.origin = origin;
  chunk.sha256 = std::move(digest.sha256);
  chunk.size_bytes = chunk.stored_bytes = digest.size_bytes;
  chunk.rows = copied.file.rows;
  chunk.format.kind = "parquet";
  if (as_texts) {
    StagedBatch batch;
    batch.kind = chunk.format.kind;
    batch.path = chunk.raw_path;
    batch.numbered = true;
    read.batches.push_back(std::move(batch));
  } else {
    read.relation_file = DumpJson(WrittenFileToJson(copied.file));
  }
  read.chunks.push_back(std::move(chunk));
  return read;
}

Result<std::string> Check(const Connector& connector, const SourceRequest& request, const RelationRunner& relation, Program* program) {
  if (connector.make_bytes) {
    TRY(BytesOf(connector, program)->Check(request));
  } else {
    const std::unique_ptr<RelationSource> source = connector.make_relation();
    TRY_ASSIGN(const RelationQuestion question, source->Check(request));
    const Result<Rows> rows = relation.ask(question);
    if (!rows) return source->Explain(request, rows.error());
    if (!request.stream.empty()) TRY(Prepare(*source, request, relation));
  }
  return std::string(R"({"ok":true})");
}

Result<std::string> Discover(const Connector& connector, const SourceRequest& request, const RelationRunner& relation, Program* program) {
  if (connector.make_bytes) {
    TRY_ASSIGN(const std::vector<StreamOffer> offers, BytesOf(connector, program)->Discover(request));
    return StreamOffersToJson(offers);
  }
  const std::unique_ptr<RelationSource> source = connector.make_relation();
  TRY_ASSIGN(const RelationQuestion question, source->Discover(request));
  const Result<Rows> rows = relation.ask(question);
  if (!rows) return source->Explain(request, rows.error());
  TRY_ASSIGN(const std::vector<StreamOffer> offers, source->Offers(request, *rows));
  return StreamOffersToJson(offers);
}

}  // namespace

Result<ExtractResult> RunExtractJob(const ExtractJob& job, const Registry& registry, const RelationRunner& relation,
                                    const std::function<void(std::int64_t)>& progress, Program* program) {
  StagingOptions options;
  options.folder = job.staging_folder;
  options.progress = progress;
  if (job.kind == ExtractJob::Kind::kReplay) {
    TRY_ASSIGN(const ReplayRequest replay, ReplayRequestFromJson(job.request));
    TRY_ASSIGN(const StagedRead read, Replay(replay, std::move(options)));
    return ExtractResult{DumpJson(StagedReadToJson(read))};
  }
  TRY_ASSIGN(const Connector* connector, registry.Find(job.connector));
  TRY_ASSIGN(SourceRequest request, SourceRequestFromJson(job.request));
  TRY(MergeSecrets(job.secrets, request));
  request.scratch_folder = job.staging_folder;
  if (job.kind == ExtractJob::Kind::kCheck) {
    TRY_ASSIGN(std::string answer, Check(*connector, request, relation, program));
    return ExtractResult{std::move(answer)};
  }
  if (job.kind == ExtractJob::Kind::kCommitted) {
    if (!connector->make_bytes) return Error{ErrorKind::kInternal, "nothing is put away at such a source: " + job.connector, "", ""};
    TRY_ASSIGN(const std::vector<std::string> notes, connector->make_bytes()->Committed(request));
    return ExtractResult{DumpJson(Json{{"notes", notes}})};
  }
  if (job.kind == ExtractJob::Kind::kDiscover) {
    TRY_ASSIGN(std::string answer, Discover(*connector, request, relation, program));
    return ExtractResult{std::move(answer)};
  }
  if (connector->make_bytes) {
    TRY_ASSIGN(const StagedRead read, ReadBytes(*connector, request, std::move(options), program));
    return ExtractResult{DumpJson(StagedReadToJson(read))};
  }
  TRY_ASSIGN(const StagedRead read, ReadRelation(*connector, request, relation, job.staging_folder));
  return ExtractResult{DumpJson(StagedReadToJson(read))};
}

}  // namespace caudal
