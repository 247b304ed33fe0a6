// Journals: files that programs append to, one JSON object a line. Authentication: the rights of the user who runs. Order: as
// written. Delivery: each record once: the offset behind the last whole line is the cursor, committed with the rows.
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

void Register_journal(Registry& registry);

namespace {

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "journal";
  spec.summary = "Files that grow by one JSON object a line";
  spec.delivery = "each record exactly once: the offset behind the last whole line is committed with the rows";
  spec.options = {MakeOption("folder", OptionType::kPath, "", "Folder of the journals; a stream is STREAM.ndjson in it")};
  spec.options[0].required = true;
  spec.stream_options = {MakeOption("max_bytes", OptionType::kSize, "64MB", "About so much a run; the rest follows in the next")};
  return spec;
}

class JournalSource final : public BytesSource {
 public:
  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    const std::string folder = PathIn(request.project_folder, options.Text("folder", ""));
    if (std::filesystem::is_directory(folder)) return {};
    return Error{ErrorKind::kNotFound, "there is no folder of journals: " + folder, "correct `folder:` of the source", ""};
  }

  Result<std::vector<StreamOffer>> Discover(const SourceRequest&) override { return std::vector<StreamOffer>{}; }

  Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
    TRY_ASSIGN(const Json cursor, ParseJson(request.cursor.empty() ? "{}" : request.cursor, "the cursor of a journal"));
    const std::string name = request.stream + ".ndjson";
    std::ifstream file(PathIn(request.project_folder, options.Text("folder", "")) + "/" + name, std::ios::binary | std::ios::ate);
    if (!file) return Error{ErrorKind::kNotFound, "there is no journal " + name, "correct the stream's name", ""};
    const std::int64_t size = file.tellg();
    const std::int64_t begin = JsonInt(cursor, "offset", 0);
    if (begin > size) {
      return Error{ErrorKind::kCorruption, name + " is shorter than what was loaded of it", "put it back, or load it anew: --full-refresh", ""};
    }
    file.seekg(begin);
    std::int64_t end = begin;
    const std::int64_t most = begin + stream.Integer("max_bytes", 64'000'000);
    // A last line without its end is still being written: the next run takes it.
    for (std::string line; end < most && std::getline(file, line) && !file.eof(); end += static_cast<std::int64_t>(line.size())) {
      if (!sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      ChunkFormat format;
      format.kind = "ndjson";
      if (end == begin) TRY(sink.Begin(name, format));
      TRY(sink.Append(line += '\n'));
    }
    ReadOutcome outcome;
    outcome.unchanged = end == begin;
    outcome.cursor = outcome.unchanged ? request.cursor : DumpJson(Json{{"offset", end}});
    if (!outcome.unchanged) TRY(sink.End());
    return outcome;
  }
};

}  // namespace

void Register_journal(Registry& registry) {
  registry.Add(Connector{Spec(), [] { return std::make_unique<JournalSource>(); }, nullptr});
}

}  // namespace caudal
