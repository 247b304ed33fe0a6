// Each connector's page holds the table of its spec, between two markers. With CAUDAL_WRITE_PAGES=1 in the environment
// the table is written instead.
#include <gtest/gtest.h>

#include <cstdlib>

#include "connect/source_testing.h"

namespace caudal {

void Register_journal(Registry& registry);

namespace {

constexpr std::string_view kBegin = "<!-- spec -->\n";
constexpr std::string_view kEnd = "<!-- /spec -->";

std::string TypeName(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kString: return "text";
    case OptionType::kInteger: return option.least == 0 ? "number" : "number, at least " + std::to_string(option.least);
    case OptionType::kBoolean: return "true or false";
    case OptionType::kDuration: return "duration, `15m`";
    case OptionType::kSize: return "size, `64MB`";
    case OptionType::kPath: return "path";
    case OptionType::kUrl: return "URL";
    case OptionType::kPlace: return "path or URL";
    case OptionType::kStringList: return "list";
    case OptionType::kStringMap: return "map";
    case OptionType::kObject: return "map";
  }
  return "";
}

void AddRows(const std::vector<OptionSpec>& options, const std::string& before, std::string& out) {
  for (const OptionSpec& option : options) {
    std::string type = TypeName(option);
    if (!option.choices.empty()) {
      type.clear();
      for (const std::string& choice : option.choices) type += (type.empty() ? "`" : ", `") + choice + "`";
    }
    if (option.secret) type = "secret, `${NAME}`";
    const std::string fallback = option.required ? "required" : option.default_value.empty() ? "" : "`" + option.default_value + "`";
    out += "| `" + before + option.name + "` | " + type + " | " + fallback + " | " + option.description + " |\n";
    AddRows(option.members, before + option.name + ".", out);
  }
}

std::string Table(const ConnectorSpec& spec) {
  const std::string head = "\n| option | is | default | |\n|---|---|---|---|\n";
  std::string out = spec.summary + ". Delivery: " + spec.delivery + ".\n\nOf the source:\n" + head;
  AddRows(spec.options, "", out);
  out += "\nOf each stream:\n" + head;
  AddRows(spec.stream_options, "", out);
  return out;
}

/// What stands between two markers of a page is `text`; or is made so.
void ExpectBetween(const std::string& path, const std::string& begin, std::string_view end, const std::string& text) {
  std::string page = Contents(path);
  const std::size_t at = page.find(begin);
  ASSERT_NE(at, std::string::npos) << path << " lacks " << begin;
  const std::size_t from = at + begin.size();
  const std::size_t to = page.find(end, from);
  ASSERT_NE(to, std::string::npos) << path << " lacks " << end;
  if (std::getenv("CAUDAL_WRITE_PAGES") != nullptr) {
    std::ofstream(path) << page.replace(from, to - from, text);
  } else {
    EXPECT_EQ(page.substr(from, to - from), text) << "stale: CAUDAL_WRITE_PAGES=1 connect_test --gtest_filter='ConnectorPage*'";
  }
}

TEST(ConnectorPage, HoldsTheSpec) {
  for (const ConnectorSpec& spec : BuiltinRegistry().Specs()) {
    ExpectBetween(TreeFolder() + "/docs/connectors/" + spec.name + ".md", std::string(kBegin), kEnd, Table(spec));
  }
}

TEST(ConnectorPage, TheExampleHoldsItsOwn) {
  Registry registry;
  Register_journal(registry);
  ExpectBetween(TreeFolder() + "/examples/connector/journal.md", std::string(kBegin), kEnd, Table(registry.Specs()[0]));
}

TEST(ConnectorPage, TheHowToShowsWhatIsCompiled) {
  for (const auto& [name, language] : {std::pair{"journal.cc", "cpp"}, std::pair{"journal_test.cc", "cpp"}, std::pair{"journal.md", "markdown"}}) {
    const std::string file = std::string("examples/connector/") + name;
    // Four backticks: the page has blocks of its own.
    ExpectBetween(TreeFolder() + "/docs/connectors/how-to-write-one.md", "<!-- file " + file + " -->\n", "<!-- /file -->",
                  std::string("````") + language + "\n" + Contents(TreeFolder() + "/" + file) + "````\n");
  }
}

}  // namespace
}  // namespace caudal
