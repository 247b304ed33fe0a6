#include "connect/singer_message.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

/// The message without what a record or a schema holds.
Result<Json> HeadOf(std::string_view line) {
  std::string key;
  const auto keep = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1) key = parsed.get<std::string>();
    return depth <= 1 || (key != "record" && key != "schema");
  };
  Json head = Json::parse(line, keep, false);
  if (head.is_object()) return head;
  return Error{ErrorKind::kCorruption, fmt::format("the tap printed a line that is no Singer message: {}", line.substr(0, 200)),
               "a tap prints messages alone on its standard output; what it logs belongs on standard error", ""};
}

class SingerSplitter final : public Splitter {
 public:
  SingerSplitter(SplitTarget target, std::string stream)
      : x_origin(target.origin), x_longest(target.max_record_bytes), x_stream(std::move(stream)), x_records_of(MakeJsonSplitter(std::move(target), {"record"})) {}

  Status Feed(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      x_line.append(bytes.substr(0, end));
      if (static_cast<std::int64_t>(x_line.size()) > x_longest) {
        return Error{ErrorKind::kCorruption, fmt::format("{} has a line of more than {} bytes", x_origin, x_longest), "select fewer columns", ""};
      }
      if (end == std::string_view::npos) return {};
      TRY(Take());
      bytes.remove_prefix(end + 1);
    }
    return {};
  }

  Status EndBody() override {
    if (x_line.empty()) return {};
    return Error{ErrorKind::kCorruption, x_origin + " ends inside a message", "run it again", ""};
  }

 private:
  Status Take() {
    TRY_ASSIGN(const SingerMessage message, ReadSingerMessage(x_line));
    if (message.kind == SingerKind::kRecord && message.stream == x_stream) {
      TRY(x_records_of->Feed(x_line));
      TRY(x_records_of->EndBody());
      x_records = x_records_of->records();
    }
    x_line.clear();
    return {};
  }

  std::string x_origin;
  std::int64_t x_longest;
  std::string x_stream;
  std::unique_ptr<Splitter> x_records_of;
  std::string x_line;
};

}  // namespace

Result<SingerMessage> ReadSingerMessage(std::string_view line) {
  TRY_ASSIGN(const Json head, HeadOf(line));
  const std::string type = JsonString(head, "type", "");
  SingerMessage message;
  message.stream = JsonString(head, "stream", "");
  if (type == "RECORD") {
    message.kind = SingerKind::kRecord;
  } else if (type == "SCHEMA") {
    message.kind = SingerKind::kSchema;
  } else if (type == "ACTIVATE_VERSION") {
    message.kind = SingerKind::kActivateVersion;
  } else if (type == "STATE") {
    message.kind = SingerKind::kState;
    message.state = DumpJson(head.value("value", Json(nullptr)));
  } else {
    const bool batch = type == "BATCH";
    return Error{batch ? ErrorKind::kUnsupported : ErrorKind::kCorruption, fmt::format("the tap printed a message of type '{}'", type),
                 batch ? "switch batches off in the tap's `config:`" : "a tap prints SCHEMA, RECORD and STATE", ""};
  }
  return message;
}

std::unique_ptr<Splitter> MakeSingerSplitter(SplitTarget target, std::string stream) {
  return std::make_unique<SingerSplitter>(std::move(target), std::move(stream));
}

}  // namespace caudal
