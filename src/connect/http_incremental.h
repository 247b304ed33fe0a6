// Only what is new of an HTTP stream: the value of a cursor in its records, from one read to the next. Values; no I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

/// As the project writes it. dlt's words.
struct IncrementalWords {
  std::string cursor_path;
  std::string start_param;  // query parameter that gets the start; may be empty where a placeholder takes it
  std::string end_param;
  std::string initial_value;
  std::string end_value;
  std::string lag;  // "10m", or a number where the cursor is one
};

/// `json`: the map. Errors: kInvalidArgument for an unknown word, or without `cursor_path`. `parameter`: the one that it
/// stands for, or "".
Result<IncrementalWords> IncrementalWordsOf(const Json& json, const std::string& parameter);

/// The cursor of one read. Two rules, stated on the connector's page: records at the last value come again; the cursor
/// never moves beyond the end that was asked for, nor more than a day into the future.
class Incremental {
 public:
  /// `last`: the value that the last commit holds, or "". Errors: kInvalidArgument where `lag` does not fit the value.
  static Result<Incremental> Make(IncrementalWords words, std::string last, Timestamp now);

  const IncrementalWords& words() const { return x_words; }
  /// What the server is asked from, and to; "" = not asked.
  const std::string& start() const { return x_start; }
  const std::string& end() const { return x_end; }
  /// To commit.
  const std::string& value() const { return x_value; }

  /// Sees the records of one page. Errors: kInvalidArgument where none of them has the cursor.
  Status Move(const std::vector<const Json*>& records, const std::string& place);
  /// How many records lay too far in the future to move the cursor.
  std::int64_t future() const { return x_future; }

 private:
  explicit Incremental(IncrementalWords words) : x_words(std::move(words)) {}
  IncrementalWords x_words;
  std::string x_start;
  std::string x_end;
  std::string x_value;
  std::string x_tomorrow;  // a date
  std::int64_t x_future = 0;
};

/// `value` less `lag`, in the form of `value`: a number, seconds or milliseconds since 1970, a date, or a time.
/// Errors: kInvalidArgument.
Result<std::string> SteppedBack(const std::string& value, const std::string& lag);

}  // namespace caudal
