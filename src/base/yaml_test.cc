#include "base/yaml.h"

#include <gtest/gtest.h>

#include <string>

namespace caudal {
namespace {

std::string Problems(std::string_view text) {
  std::string all;
  for (const YamlProblem& p : ReadYaml(text).problems) {
    all += (all.empty() ? "" : "\n") + std::to_string(p.line) + ":" + std::to_string(p.column) + " " + p.message;
  }
  return all;
}

TEST(Yaml, KeepsKindsPlacesAndOrder) {
  YamlOutcome outcome = ReadYaml("b: 1\na:\n  - x\n  - 'y'\nü: {k: \"\", n: ~, m: }\n");
  ASSERT_TRUE(outcome.problems.empty()) << Problems("");
  const YamlNode& root = outcome.root;
  ASSERT_TRUE(root.is_map());
  ASSERT_EQ(root.members.size(), 3U);
  EXPECT_EQ(root.members[0].key, "b");
  EXPECT_EQ(root.members[0].value.text, "1");
  EXPECT_EQ(root.members[0].value.column, 4);
  const YamlNode* list = root.Find("a");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->items[1].text, "y");
  EXPECT_TRUE(list->items[1].quoted);
  EXPECT_FALSE(list->items[0].quoted);
  EXPECT_EQ(list->items[1].line, 4);
  const YamlNode* flow = root.Find("ü");
  ASSERT_NE(flow, nullptr);
  EXPECT_TRUE(flow->Find("k")->is_scalar());
  EXPECT_TRUE(flow->Find("n")->is_null());
  EXPECT_TRUE(flow->Find("m")->is_null());
  // Columns count characters: the key is one character of two bytes.
  EXPECT_EQ(flow->members[0].column, 5);
}

TEST(Yaml, EmptyIsNull) {
  EXPECT_TRUE(ReadYaml("").root.is_null());
  EXPECT_TRUE(ReadYaml("# nothing\n").root.is_null());
  EXPECT_EQ(Problems(""), "");
}

TEST(Yaml, AliasesAreFollowed) {
  YamlOutcome outcome = ReadYaml("a: &x {k: 1}\nb: *x\n");
  ASSERT_TRUE(outcome.problems.empty());
  EXPECT_EQ(outcome.root.Find("b")->Find("k")->text, "1");
}

TEST(Yaml, NamesInBracesAreText) {
  YamlOutcome outcome = ReadYaml("a: {t: ${TOKEN}, l: [${X}, 'q ${Y}'], m: ${no-name}}\nb: ${Z}\n");
  EXPECT_FALSE(outcome.problems.empty());  // ${no-name} is none
  outcome = ReadYaml("a: {t: ${TOKEN}, l: [${X}, 'q ${Y}']}\nb: ${Z}\n");
  ASSERT_TRUE(outcome.problems.empty());
  EXPECT_EQ(outcome.root.Find("a")->Find("t")->text, "${TOKEN}");
  EXPECT_EQ(outcome.root.Find("a")->Find("l")->items[0].text, "${X}");
  EXPECT_EQ(outcome.root.Find("a")->Find("l")->items[1].text, "q ${Y}");
  EXPECT_EQ(outcome.root.Find("b")->text, "${Z}");
}

TEST(Yaml, RefusesWithPlace) {
  struct Case {
    const char* text;
    const char* problem;
  };
  const Case kCases[] = {
      {"a: 1\nb: 2\na: 3\n", "3:1 'a' is written twice (first in line 1)"},
      {"a: {k: 1, k: 2, j: 3, j: 4}\n", "1:11 'k' is written twice (first in line 1)\n1:23 'j' is written twice (first in line 1)"},
      {"a:\n\tb: 1\n", "2:1 a tab in the indentation"},
      {"a:\n  \tb: 1\n", "2:3 a tab in the indentation"},
      {"a: 1\n---\nb: 2\n", "2:1 a second document"},
      {"a: &x [*x]\n", "1:8 an alias inside its own anchor"},
      {"a: *nobody\n", "1:4 an alias whose anchor is not above it"},
      {"<<: {a: 1}\n", "1:1 merge keys (<<) are not read"},
      {"[a]: 1\n", "1:1 a key that is a list or a map"},
      {"a: 'x\n", "1:4 a quote that is not closed"},
      {"a: \"x\\\"\n", "1:4 a quote that is not closed"},
      {"a: &k 'it''s\nb: 1\n", "1:4 a quote that is not closed"},
      {"a: [1, 2\n", "2:1 a '[' without its ']'"},
      {"a: {b: 1\nc: 2\n", "2:2 a '{' without its '}'"},
      {"a: b: c\n", "1:5 a ':' where no key can stand"},
      {"a: 1\n  b: 2\n", "2:4 a ':' where no key can stand"},
      {"a: @x\n", "1:4 a character that no value may begin with"},
      {"a: 1\nb: \xFF\n", "2:4 the file is not UTF-8"},
      {"a: \x04\n", "1:4 a control character (byte 4)"},
      {"a:\n  - 1\n - 2\n", "3:2 the indentation does not fit the lines above"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Problems(c.text), c.problem) << c.text;
}

TEST(Yaml, BombsAreRefused) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string me = "a" + std::to_string(i);
    std::string before = "*a" + std::to_string(i - 1);
    laughs += me + ": &" + me + " [" + before;
    for (int k = 0; k < 8; ++k) laughs += ", " + before;
    laughs += "]\n";
  }
  EXPECT_NE(Problems(laughs).find("more than 200,000 values"), std::string::npos) << Problems(laughs);
  EXPECT_NE(Problems(std::string(100, '[')).find("more than 64 levels"), std::string::npos);
  EXPECT_NE(Problems(std::string(100'000, '[')).find("more than 64 levels"), std::string::npos);
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_NE(Problems(deep).find("more than 64 levels"), std::string::npos) << Problems(deep);
}

TEST(Yaml, ParseGivesTheFirstProblemAsError) {
  Result<YamlNode> node = ParseYaml("a: 1\na: 2\n", "caudal.yaml");
  ASSERT_FALSE(node.has_value());
  EXPECT_EQ(node.error().where, "caudal.yaml:2:1");
  EXPECT_EQ(node.error().kind, ErrorKind::kInvalidArgument);
}

// Whatever the bytes are, the answer is a value.
TEST(Yaml, NeverThrows) {
  const std::string seed = "a: &x {b: [1, 'two', \"3\"], c: |\n  text\n}\nd: *x\n# c\ne:\n  - f: ~\n";
  for (std::size_t i = 0; i < seed.size(); ++i) {
    for (char c : {'\0', '{', '[', '&', '*', '\'', '\n', ':', '\t', '|', '-', '%'}) {
      std::string bytes = seed;
      bytes[i] = c;
      EXPECT_NO_THROW(ReadYaml(bytes));
      EXPECT_NO_THROW(ReadYaml(bytes.substr(0, i)));
    }
  }
}

}  // namespace
}  // namespace caudal
