// Each connector's page holds the table of its spec, between two markers. With CAUDAL_WRITE_PAGES=1 in the environment
// the table is written instead.
#include <gtest/gtest.h>

#include <cstdlib>

#include "connect/source_testing.h"

namespace caudal {
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

TEST(ConnectorPage, HoldsTheSpec) {
  for (const ConnectorSpec& spec : BuiltinRegistry().Specs()) {
    const std::string path = TreeFolder() + "/docs/connectors/" + spec.name + ".md";
    std::string page = Contents(path);
    const std::size_t begin = page.find(kBegin);
    const std::size_t end = page.find(kEnd);
    ASSERT_NE(begin, std::string::npos) << path << " lacks " << kBegin;
    ASSERT_NE(end, std::string::npos) << path << " lacks " << kEnd;
    const std::size_t from = begin + kBegin.size();
    const std::string table = Table(spec);
    if (std::getenv("CAUDAL_WRITE_PAGES") != nullptr) {
      std::ofstream(path) << page.replace(from, end - from, table);
    } else {
      EXPECT_EQ(page.substr(from, end - from), table) << "stale: CAUDAL_WRITE_PAGES=1 connect_test --gtest_filter='ConnectorPage*'";
    }
  }
}

}  // namespace
}  // namespace caudal
