// What a connector says of itself, as data: drives parsing of sources/*.yaml, `validate`, `init`, help and the table on
// its page. Values. Room `connect` fills them, room `project` reads them.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace caudal {

enum class OptionType {
  kString,
  kInteger,
  kBoolean,
  kDuration,  // "15m"
  kSize,      // "64MB"
  kPath,      // below the project folder, or absolute
  kUrl,
  kPlace,     // a kPath, or a kUrl of `schemes`
  kStringList,
  kStringMap,
  kObject,  // an object whose members are `members`
};

/// What a kString, or each value of a kStringMap, must be beyond its type.
enum class OptionForm {
  kAny,
  kCharacter,  // one ASCII character, no line end; or one of `words`
  kGlob,       // a pattern of names below a folder: not absolute, no '..'
  kLine,       // no line end
};

/// Whatever stands here is found wrong before anything runs; a connector checks none of it again for the user.
struct OptionSpec {
  std::string name;
  OptionType type = OptionType::kString;
  bool required = false;
  std::string default_value;  // as the user would write it; "" = none
  std::string unit;
  std::string description;
  /// Comes only as ${NAME}; reaches the worker outside the request.
  bool secret = false;
  std::vector<std::string> choices;  // empty = anything
  std::vector<OptionSpec> members;   // kObject
  OptionForm form = OptionForm::kAny;
  std::vector<std::string> words;  // kCharacter: words that stand for a character, or for none
  /// kInteger the number, kSize bytes, kDuration milliseconds.
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> schemes = {"http", "https"};  // kUrl
  std::vector<std::string> ask_at = {};  // schemes of the source's kPlace for which whoever makes a source is asked for it
  /// Options beside this one that a choice needs: {"bearer", {"token"}}.
  std::map<std::string, std::vector<std::string>> needs;
  std::vector<std::string> excludes;  // options that cannot stand beside this one
};

enum class SourceShape {
  kBytes,     // yields chunks as they came
  kRelation,  // yields what to attach and bounded SQL
};

struct ConnectorSpec {
  std::string name;  // as in `type:` of sources/*.yaml
  std::string summary;
  SourceShape shape = SourceShape::kBytes;
  std::vector<OptionSpec> options;         // of the source
  std::vector<OptionSpec> stream_options;  // of each stream, beside those that every stream has
  bool network = false;
  /// The option that names the one TCP port that its worker may reach; "" = any.
  std::string port_option = {};
  /// The option, a path, that names the program which speaks for the source; "" = none. Files that it may read beside its own:
  /// the option `read`.
  std::string program_option = {};
  bool discovers = false;    // lists its streams
  /// The option of a stream, a text, that says which one of those it is, and the one that says in which schema; the second is
  /// one of the source, too, and says there which schema its names leave out. "" = none. With the first, a source takes `tables:`.
  std::string table_option = {};
  std::string schema_option = {};
  /// A check of the source goes on to each stream: is it there, may it be read.
  bool checks_streams = false;
  bool incremental = false;  // takes `incremental:`
  /// True where a repeated read may give rows again, so that `append` needs a key or is refused.
  bool may_repeat = false;
  std::string delivery;  // guarantee in words
};

}  // namespace caudal
