#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "connect/staged_batches.h"

namespace caudal {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Writes `<chunk>\t<row>\t<json>`; raw tabs and line ends are blanks between tokens, or wrong in any case.
class RecordLines {
 public:
  explicit RecordLines(const SplitTarget& target) : x_target(target), x_prefix(fmt::format("{}\t", target.chunk)) {}

  /// `members` stand before the record's own, so that they win over one of the same name.
  Status Put(std::int64_t row, std::string_view record, const std::string& members) {
    std::string wider;
    if (!members.empty() && record.starts_with('{')) {
      const std::size_t next = record.find_first_not_of(" \t\r\n", 1);
      const bool empty = next != std::string_view::npos && record[next] == '}';
      wider = fmt::format("{{{}{}{}", members, empty ? "" : ",", record.substr(1));
    }
    const std::string_view json = wider.empty() ? record : std::string_view(wider);
    if (!x_selected) TRY(x_target.batches->SelectLines());
    x_selected = true;
    const std::size_t valid = ValidUtf8Prefix(json);
    if (valid < json.size()) return Reject(row, fmt::format("is no UTF-8 at byte {}", valid + 1), json);
    StagedBatch& batch = x_target.batches->current();
    ++batch.rows;
    batch.longest_record_bytes = std::max(batch.longest_record_bytes, static_cast<std::int64_t>(json.size()));
    std::string& out = x_target.batches->file().buffer();
    char number[24];
    const auto end = std::to_chars(number, number + sizeof number, row).ptr;
    out.append(x_prefix).append(number, static_cast<std::size_t>(end - number)).append(1, '\t');
    const std::size_t begin = out.size();
    out.append(json);
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                    [](char c) { return c == '\t' || c == '\n' || c == '\r' || c == '\0'; }, ' ');
    out.push_back('\n');
    return x_target.batches->file().Drain();
  }

  Status Reject(std::int64_t row, std::string reason, std::string_view text) {
    return x_target.batches->Reject(SplitReject{x_target.chunk, row, std::move(reason), std::string(text)});
  }

  Error Broken(const std::string& what) const {
    return Error{ErrorKind::kCorruption, x_target.origin + " " + what,
                 "ask for the whole body again, or correct the `format:` of the stream", ""};
  }

  const SplitTarget& target() const { return x_target; }

 private:
  SplitTarget x_target;
  std::string x_prefix;
  bool x_selected = false;
};

class LineSplitter final : public Splitter {
 public:
  explicit LineSplitter(SplitTarget target) : x_lines(target) {}

  Status Feed(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      x_pending.append(bytes.substr(0, end));
      if (static_cast<std::int64_t>(x_pending.size()) > x_lines.target().max_record_bytes) {
        return x_lines.Broken(fmt::format("has a line of more than {} bytes: line {}",
                                          x_lines.target().max_record_bytes, x_line));
      }
      if (end == std::string_view::npos) return {};
      TRY(Take());
      bytes.remove_prefix(end + 1);
    }
    return {};
  }

  Status EndBody() override {
    if (x_pending.empty()) return {};
    if (!Json::accept(x_pending)) {
      return x_lines.Broken(fmt::format("ends inside line {}; the file is cut", x_line));
    }
    return Take();
  }

 private:
  Status Take() {
    std::string_view text = x_pending;
    if (x_line == 1 && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    if (!text.empty()) {
      ++x_records;
      TRY(x_lines.Put(x_line, text, x_members));
    }
    ++x_line;
    x_pending.clear();
    return {};
  }

  RecordLines x_lines;
  std::string x_pending;
  std::int64_t x_line = 1;
};

/// A push parser that follows a path and copies out what it finds there, as it was written.
class JsonSplitter final : public Splitter {
 public:
  JsonSplitter(SplitTarget target, std::vector<std::string> selector)
      : x_lines(target), x_selector(std::move(selector)) {}

  Status Feed(std::string_view bytes) override {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      if (x_in_string) {
        if (x_escaped) {
          x_escaped = false;
        } else if (c == '\\') {
          x_escaped = true;
        } else if (c == '"') {
          x_in_string = false;
          Keep(c);
          TRY(EndString());
          continue;
        } else {
          const std::size_t run = PlainRun(bytes.substr(i));
          Keep(bytes.substr(i, run));
          i += run - 1;
          TRY(CheckSize());
          continue;
        }
        Keep(c);
        continue;
      }
      TRY(Structure(c));
    }
    return CheckSize();
  }

  Status EndBody() override {
    if (x_scalar) TRY(EndScalar());
    if (x_state != State::kDone) {
      if (x_state == State::kValue && x_stack.empty() && !x_begun) return x_lines.Broken("is empty: no JSON");
      return x_lines.Broken(fmt::format("ends inside record {}; the body is cut", x_records + (x_capturing ? 0 : 1)));
    }
    if (!x_found && std::find(x_selector.begin(), x_selector.end(), "*") == x_selector.end()) {
      return Error{ErrorKind::kInvalidArgument,
                   fmt::format("{} has nothing at the data selector {} (members at the top: {})",
                               x_lines.target().origin, fmt::join(x_selector, "."), fmt::join(x_top, ", ")),
                   "correct `data_selector:` of the stream", ""};
    }
    x_state = State::kValue;
    x_found = x_begun = false;
    x_top.clear();
    return {};
  }

 private:
  enum class State { kValue, kFirstValue, kFirstKey, kKey, kColon, kNext, kDone };
  struct Frame {
    bool array = false;
    bool on_path = false;  // the way to this container follows the selector
    bool records = false;  // the array whose members are records
    std::string key;       // of the member that is being read
  };

  static std::size_t PlainRun(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size() && text[i] != '"' && text[i] != '\\') ++i;
    return i;
  }

  void Keep(char c) {
    if (x_capturing) x_record.push_back(c);
    if (x_in_key) x_key.push_back(c);
  }
  void Keep(std::string_view text) {
    if (x_capturing) x_record.append(text);
    if (x_in_key) x_key.append(text);
  }

  Status CheckSize() const {
    if (static_cast<std::int64_t>(x_record.size()) <= x_lines.target().max_record_bytes) return {};
    return x_lines.Broken(fmt::format("has a record of more than {} bytes: record {}",
                                      x_lines.target().max_record_bytes, x_records));
  }

  Error Unexpected(char c) const {
    if (!x_begun && c == '<') return x_lines.Broken("is HTML or XML, not JSON");
    if (x_state == State::kDone) {
      return x_lines.Broken("has text behind its JSON document; if every line is one, write `format: ndjson`");
    }
    return x_lines.Broken(fmt::format("is no valid JSON behind record {}: unexpected '{}'", x_records,
                                      static_cast<unsigned char>(c) < 0x20 ? ' ' : c));
  }

  Status Structure(char c) {
    if (x_scalar) {
      const bool more = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '.' || c == '-' || c == '+';
      if (more) {
        x_token.push_back(c);
        Keep(c);
        return {};
      }
      TRY(EndScalar());
    }
    if (IsBlank(c) || (!x_begun && x_mark < 3 && c == "\xEF\xBB\xBF"[x_mark])) {
      if (!IsBlank(c)) ++x_mark;
      Keep(' ');
      return {};
    }
    switch (x_state) {
      case State::kFirstValue:
        if (c == ']') return EndContainer(c);
        return BeginValue(c);
      case State::kValue:
        return BeginValue(c);
      case State::kFirstKey:
        if (c == '}') return EndContainer(c);
        return BeginKey(c);
      case State::kKey:
        return BeginKey(c);
      case State::kColon:
        if (c != ':') return Unexpected(c);
        Keep(c);
        x_state = State::kValue;
        return {};
      case State::kNext:
        if (c == ',') {
          Keep(c);
          x_state = x_stack.back().array ? State::kValue : State::kKey;
          return {};
        }
        if (c == (x_stack.back().array ? ']' : '}')) return EndContainer(c);
        return Unexpected(c);
      case State::kDone:
        break;
    }
    return Unexpected(c);
  }

  Status BeginKey(char c) {
    if (c != '"') return Unexpected(c);
    x_in_string = true;
    x_key.clear();
    Keep(c);
    x_in_key = !x_capturing && x_stack.size() <= x_selector.size() + 1;
    x_reading_key = true;
    return {};
  }

  /// Whether the value that begins now lies at the selector's end, or on the way to it.
  bool OnPath() const {
    if (x_stack.empty()) return true;
    const Frame& parent = x_stack.back();
    if (!parent.on_path || x_stack.size() > x_selector.size()) return false;
    const std::string& step = x_selector[x_stack.size() - 1];
    return step == "*" || (!parent.array && parent.key == step);
  }

  Status BeginValue(char c) {
    if (c == '<' && !x_begun) return Unexpected(c);
    x_begun = true;
    Frame frame;
    if (!x_capturing) {
      const bool member = !x_stack.empty() && x_stack.back().records;
      frame.on_path = !member && OnPath();
      const bool at_end = frame.on_path && x_stack.size() == x_selector.size();
      frame.records = at_end && c == '[';
      x_found = x_found || at_end;
      if (member || (at_end && c != '[' && c != 'n')) {
        x_capturing = true;
        x_capture_depth = x_stack.size();
        x_record.clear();
        ++x_records;
      }
    }
    if (c == '{' || c == '[') {
      frame.array = c == '[';
      x_stack.push_back(std::move(frame));
      Keep(c);
      x_state = c == '[' ? State::kFirstValue : State::kFirstKey;
      return {};
    }
    if (c == '"') {
      x_in_string = true;
      Keep(c);
      return {};
    }
    if ((c >= '0' && c <= '9') || c == '-' || c == 't' || c == 'f' || c == 'n') {
      x_scalar = true;
      x_token.assign(1, c);
      Keep(c);
      return {};
    }
    return Unexpected(c);
  }

  Status EndString() {
    if (!x_reading_key) return EndValue();
    x_reading_key = false;
    x_state = State::kColon;
    if (!x_in_key) return {};
    x_in_key = false;
    x_key.pop_back();
    if (x_key.find('\\') != std::string::npos) {
      const Json decoded = Json::parse("\"" + x_key + "\"", nullptr, false);
      if (decoded.is_string()) x_key = decoded.get<std::string>();
    }
    x_stack.back().key = x_key;
    if (x_stack.size() == 1 && x_top.size() < 20) x_top.push_back(x_key);
    return {};
  }

  Status EndScalar() {
    x_scalar = false;
    if (!Json::accept(x_token)) {
      return x_lines.Broken(fmt::format("is no valid JSON behind record {}: {}", x_records, x_token.substr(0, 40)));
    }
    return EndValue();
  }

  Status EndContainer(char c) {
    Keep(c);
    x_stack.pop_back();
    return EndValue();
  }

  Status EndValue() {
    x_state = x_stack.empty() ? State::kDone : State::kNext;
    if (!x_capturing || x_stack.size() != x_capture_depth) return {};
    x_capturing = false;
    if (x_record.empty() || x_record[0] != '{') return x_lines.Reject(x_records, "is no JSON object", x_record);
    return x_lines.Put(x_records, x_record, x_members);
  }

  RecordLines x_lines;
  std::vector<std::string> x_selector;
  State x_state = State::kValue;
  std::vector<Frame> x_stack;
  std::string x_key;
  std::string x_token;
  std::string x_record;
  std::vector<std::string> x_top;  // member names of the outermost object
  std::size_t x_capture_depth = 0;
  std::size_t x_mark = 0;
  bool x_begun = false;
  bool x_found = false;
  bool x_capturing = false;
  bool x_in_string = false;
  bool x_escaped = false;
  bool x_reading_key = false;
  bool x_in_key = false;
  bool x_scalar = false;
};

}  // namespace

std::unique_ptr<Splitter> MakeLineSplitter(SplitTarget target) {
  return std::make_unique<LineSplitter>(std::move(target));
}

std::unique_ptr<Splitter> MakeJsonSplitter(SplitTarget target, std::vector<std::string> selector) {
  return std::make_unique<JsonSplitter>(std::move(target), std::move(selector));
}

}  // namespace caudal
