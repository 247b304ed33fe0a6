// The file that `caudal init source` writes.
#include <gtest/gtest.h>

#include "app/source_draft.h"
#include "base/yaml.h"

namespace caudal {
namespace {

ConnectorSpec Spec() {
  const auto option = [](const char* name, OptionType type) {
    OptionSpec spec;
    spec.name = name;
    spec.type = type;
    return spec;
  };
  ConnectorSpec spec;
  spec.name = "http";
  OptionSpec auth = option("auth", OptionType::kObject);
  auth.members = {option("type", OptionType::kString), option("token", OptionType::kString)};
  OptionSpec client = option("client", OptionType::kObject);
  client.members = {option("base_url", OptionType::kUrl), auth, option("headers", OptionType::kStringMap)};
  spec.options = {client};
  spec.stream_options = {option("path", OptionType::kString), option("select", OptionType::kStringList)};
  return spec;
}

TEST(SourceDraft, OptionsStandInTheOrderOfTheSpec) {
  SourceDraft draft{"rates", "http", "Ann: \"finance\"", "", "26h", {{"client.auth.token", "${TOKEN}"}, {"client.auth.type", "bearer"}, {"client.base_url", "https://a.b/v1"}}, {}};
  draft.streams.push_back({"daily", {{"path", "v1/{x}"}, {"select", "id, a b,#c"}}, {"id", "day"}, "merge", "day"});
  draft.streams.push_back({"plain", {}, {}, "", ""});
  EXPECT_EQ(YamlOf(draft, Spec()),
            "# Words: docs/project.md, docs/connectors/http.md\n"
            "type: http\n"
            "owner: \"Ann: \\\"finance\\\"\"\n"
            "freshness: 26h\n"
            "client:\n"
            "  base_url: https://a.b/v1\n"
            "  auth:\n"
            "    type: bearer\n"
            "    token: ${TOKEN}\n"
            "streams:\n"
            "  daily:\n"
            "    path: \"v1/{x}\"\n"
            "    select: [id, a b, \"#c\"]\n"
            "    write_disposition: merge\n"
            "    primary_key: [id, day]\n"
            "    incremental: day\n"
            "  plain: {}\n");
}

TEST(SourceDraft, WhateverIsTypedIsReadAsItWasTyped) {
  for (const char* text : {"", " ", "null", "~", "a: b", "a #b", "- x", "[x", "\"", "'", "\\", "ä", "x:", "*.csv", "007", "yes", "a\tb", "%", "@x", "`x", "{a}", "a, b", "${A}"}) {
    SourceDraft draft{"s", "http", text, "", "", {{"client.base_url", text}}, {}};
    const YamlOutcome yaml = ReadYaml(YamlOf(draft, Spec()));
    ASSERT_TRUE(yaml.problems.empty()) << text << "\n" << YamlOf(draft, Spec());
    EXPECT_EQ(yaml.root.Find("client")->Find("base_url")->text, text);
  }
}

TEST(SourceDraft, PathsOfWhatCanBeTyped) {
  std::vector<std::string> paths;
  const ConnectorSpec spec = Spec();
  for (const OptionPath& option : OptionPathsOf(spec.options)) paths.push_back(option.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"client.base_url", "client.auth.type", "client.auth.token"}));
}

TEST(SourceDraft, NamesOfStreams) {
  EXPECT_EQ(StreamNameFrom("sales-*.csv"), "sales");
  EXPECT_EQ(StreamNameFrom("day/*.csv"), "day");
  EXPECT_EQ(StreamNameFrom("*.csv"), "");
  EXPECT_EQ(StreamNameFrom("in/Orders.csv"), "orders");
  EXPECT_EQ(StreamNameFrom("Order Lines"), "order_lines");
  EXPECT_EQ(StreamNameFrom("2026-*.csv"), "_2026");
  EXPECT_EQ(StreamNameFrom("v1/daily"), "daily");
}

}  // namespace
}  // namespace caudal
