// One definition for many sources: what it makes, and every way to get it wrong.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "project/project_fixture.h"

namespace caudal {
namespace {

constexpr char kShops[] =
    "type: files\n"
    "for_each: lists/branches.csv\n"
    "name: shop_$branch\n"
    "location: drops/$(branch)_new\n"
    "owner: $owner\n"
    "streams:\n"
    "  sales: {glob: 'sales-*.csv', skip: $skip}\n";
constexpr char kBranches[] = "branch,owner,skip\nnorth,\"Ann, North\",0\nsouth,Bob,2\n";

LoadOutcome With(const Files& more) {
  Files files = {{"caudal.yaml", std::string(kConfig) + "parameters: {floor: 1}\n"}};
  for (const auto& [path, text] : more) files[path] = text;
  Folder folder(files);
  return Load(folder);
}

const SourceConfig* Find(const LoadOutcome& outcome, const std::string& name) {
  for (const SourceConfig& source : outcome.project->sources) {
    if (source.name == name) return &source;
  }
  return nullptr;
}

TEST(ForEach, AFileOfTheProjectMakesASourceALine) {
  const LoadOutcome outcome = With({{"sources/shops.yaml", kShops}, {"lists/branches.csv", kBranches}});
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  ASSERT_EQ(outcome.project->sources.size(), 2u);
  const SourceConfig* north = Find(outcome, "shop_north");
  ASSERT_NE(north, nullptr);
  EXPECT_EQ(north->owner, "Ann, North");
  EXPECT_EQ(JsonString(*ParseJson(north->options, ""), "location", ""), "drops/north_new");
  EXPECT_EQ(outcome.project->for_each.at("shop_north"), (std::vector<std::pair<std::string, std::string>>{{"branch", "north"}, {"owner", "Ann, North"}, {"skip", "0"}}));
  EXPECT_EQ((*ParseJson(Find(outcome, "shop_south")->streams[0].options, ""))["skip"], 2);
  EXPECT_NE(outcome.project->Find("shop_north.sales"), nullptr);
  EXPECT_NE(outcome.project->Find("shop_south.sales"), nullptr);
  EXPECT_EQ(outcome.project->Find("shops.sales"), nullptr);
  EXPECT_EQ(outcome.project->Find("shop_south.sales")->path, "sources/shops.yaml");
}

TEST(ForEach, WordsMapsAndYamlFilesMakeTheSame) {
  const std::string rest = "location: d\nstreams:\n  s: {glob: '*'}\n";
  for (const std::string& list : {std::string("for_each: [a, b]\nname: x_$each\n"), std::string("for_each: [{n: a}, {n: b}]\nname: x_$n\n"),
                                  std::string("for_each: lists/n.yaml\nname: x_$n\n")}) {
    const LoadOutcome outcome = With({{"sources/x.yaml", "type: files\n" + list + rest}, {"lists/n.yaml", "- {n: a}\n- {n: b}\n"}});
    ASSERT_TRUE(outcome.project) << list << Joined(outcome);
    EXPECT_NE(Find(outcome, "x_a"), nullptr) << list;
    EXPECT_NE(Find(outcome, "x_b"), nullptr) << list;
  }
}

TEST(ForEach, AValueAloneIsPutInWithItsShapeAndItsQuotes) {
  const LoadOutcome outcome = With({{"sources/x.yaml",
                                     "type: http\nfor_each:\n- {n: a, key: [id, day], client: {base_url: 'https://a.example.com', token: '${TOKEN_A}'}}\n"
                                     "name: x_$n\nclient: $client\nstreams:\n  s: {primary_key: $key, endpoint: {path: '$$top', size: $n}}\n"}});
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  const SourceConfig& source = outcome.project->sources.at(0);
  EXPECT_EQ(source.secrets.at("client.token"), "TOKEN_A");
  EXPECT_EQ(source.streams[0].primary_key, (std::vector<std::string>{"id", "day"}));
  EXPECT_EQ((*ParseJson(source.streams[0].options, ""))["endpoint"]["path"], "$top");
}

TEST(ForEach, ASecretsNameMayHoldAValue) {
  const LoadOutcome outcome = With({{"sources/x.yaml",
                                     "type: http\nfor_each: [NORTH]\nname: x\nclient: {base_url: 'https://a.example.com', token: ${TOKEN_$(each)}}\n"
                                     "streams:\n  s: {primary_key: id}\n"}});
  EXPECT_EQ(Joined(outcome), "sources/x.yaml:3:7: 'name' calls every source 'x'; write name: x_$each");
  const LoadOutcome good = With({{"sources/x.yaml",
                                  "type: http\nfor_each: [north]\nname: x_$each\nclient: {base_url: 'https://a.example.com', token: ${TOKEN_$(each)}}\n"
                                  "streams:\n  s: {primary_key: id}\n"}});
  ASSERT_TRUE(good.project) << Joined(good);
  EXPECT_EQ(good.project->sources.at(0).secrets.at("client.token"), "TOKEN_north");
}

TEST(ForEach, ParametersOfTheProjectStayForChecks) {
  const LoadOutcome outcome = With({{"sources/x.yaml",
                                     "type: files\nlocation: d\nfor_each: [a]\nname: x_$each\nstreams:\n"
                                     "  s: {glob: '*', checks: [{expression: \"amount >= $floor AND shop = '$each'\"}]}\n"}});
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  EXPECT_EQ(outcome.project->sources.at(0).streams[0].checks.at(0).args.at("expression"), "amount >= 1 AND shop = 'a'");
}

TEST(ForEach, TheReleaseChangesWithItsLists) {
  const Files files = {{"sources/shops.yaml", kShops}, {"lists/branches.csv", kBranches}};
  Files more = files;
  more["lists/branches.csv"] += "west,Eve,1\n";
  const LoadOutcome two = With(files), three = With(more);
  ASSERT_TRUE(two.project && three.project);
  EXPECT_NE(two.project->hash, three.project->hash);
  EXPECT_EQ(three.project->sources.size(), 3u);
}

TEST(ForEach, AMistakeOfEverySourceIsToldOnce) {
  const LoadOutcome outcome = With({{"sources/x.yaml", "type: files\nlocaton: d\nfor_each: [a, b, c]\nname: x_$each\nstreams:\n  s: {glob: '*'}\n"}});
  EXPECT_EQ(Joined(outcome),
            "sources/x.yaml:1:1: a source of type files needs 'location'; the folder of the files\n"
            "sources/x.yaml:2:1: unknown word 'locaton' in a source of type files; did you mean 'location'?");
  EXPECT_EQ(outcome.problems.size(), 2u) << Joined(outcome);
}

struct Mistake {
  const char* list;      // lists/b.csv
  const char* source;    // between type and streams
  const char* problems;  // all of them
};

TEST(ForEach, Mistakes) {
  const std::vector<Mistake> cases = {
      {"b\nx\n", "for_each: [north, north]\nname: s_$each\n",
       "sources/s.yaml:3:19: two sources are named 's_north' (also by sources/s.yaml:3:12); change the value, or 'name' in sources/s.yaml:4:7"},
      {"b\nx\n", "for_each: []\nname: s_$each\n", "sources/s.yaml:3:11: 'for_each' lists nothing; write [north, south], or [{branch: north, host: db1}]"},
      {"b\nx\n", "for_each:\nname: s_$each\n", "sources/s.yaml:3:1: 'for_each' lists nothing; write [north, south], or a file of the folder lists"},
      {"b\nx\n", "for_each: {a: 1}\nname: s_$a\n", "sources/s.yaml:3:11: 'for_each' should be a list, not a map; write [north, south], or [{branch: north, host: db1}]"},
      {"b\nx\n", "for_each: [a, {b: 1}]\nname: s_$each\n", "sources/s.yaml:3:15: the list holds words and maps; write all of its items as words, or all as maps"},
      {"b\nx\n", "for_each: [[a]]\nname: s_$each\n", "sources/s.yaml:3:12: an item of a list should be a word or a map, not a list; write north, or {branch: north, host: db1}"},
      {"b\nx\n", "for_each: [{Big: 1}]\nname: s_$big\n",
       "sources/s.yaml:3:13: 'Big' is no name; use small letters, digits and _, and begin with a letter\n"
       "sources/s.yaml:4:7: no item of 'for_each' has 'big'; write $$ for a $ of the text itself"},
      {"b\nx\n", "for_each: lists/c.csv\nname: s_$b\n", "sources/s.yaml:3:11: 'for_each' names no list of this project: 'lists/c.csv'; did you mean 'lists/b.csv'?"},
      {"b\nx\n", "for_each: lists/b.csv\n", "sources/s.yaml:1:1: a source with 'for_each' needs 'name', what each is called; write name: s_$b"},
      {"b\nx\n", "for_each: lists/b.csv\nname: [a]\n", "sources/s.yaml:4:7: 'name' should be one value, not a list; write name: s_$b"},
      {"b\nx\n", "for_each: lists/b.csv\nname: s_$c\n", "sources/s.yaml:4:7: no item of 'for_each' has 'c'; did you mean 'b'? Or write $$ for a $ of the text itself"},
      {"b\nNord Ost\n", "for_each: lists/b.csv\nname: s_$b\n",
       "lists/b.csv:2:1: the source's name 's_Nord Ost' is no name: use small letters, digits and _, and begin with a letter; change the value, or 'name' in sources/s.yaml:4:7"},
      {"b,c\nx,\ny,1\n", "for_each: lists/b.csv\nname: s_$b\ndescription: $c\n",
       "lists/b.csv:2:1: the item has no 'c', which sources/s.yaml:5:14 takes; give it one"},
      {"b,c\nx\n", "for_each: lists/b.csv\nname: s_$b\n",
       "lists/b.csv:2:1: the line has 1 values, and the head names 2; write as many, and a value with a comma in quotes"},
      {"b,b,C\nx,y,z\n", "for_each: lists/b.csv\nname: s_$b\n",
       "lists/b.csv:1:3: the column 'b' stands twice; rename one of them\n"
       "lists/b.csv:1:5: the column 'C' is no name; use small letters, digits and _, and begin with a letter"},
      {"b\n", "for_each: lists/b.csv\nname: s_$b\n",
       "lists/b.csv:1:1: the list has no item; write a line of names, and below it one line an item"},
      {"b\n\"x\n", "for_each: lists/b.csv\nname: s_$b\n", "lists/b.csv:2:1: a quote that is not closed; close it"},
      {"b\n\"x\"y\n", "for_each: lists/b.csv\nname: s_$b\n", "lists/b.csv:2:4: text behind a closing quote; write a quote inside quotes twice"},
      {"b\n\xff\n", "for_each: lists/b.csv\nname: s_$b\n", "lists/b.csv:2:1: bytes that are no UTF-8; save the file as UTF-8"},
      {"b\nx\n", "for_each: [{a: x, l: [1]}]\nname: s_$a\ndescription: all of $l\n",
       "sources/s.yaml:5:14: '$l' is a list, and stands inside a text; write it alone: $l"},
      {"b\nx\n", "for_each: [a]\nname: s_$each\nmax_parallel: $each\n",
       "sources/s.yaml:5:15: 'max_parallel' should be a whole number from 1 to 64, not 'a'"},
      {"b\nx\n", "for_each: ['1', x]\nname: s_$each\nmax_parallel: $each\n",
       "sources/s.yaml:5:15: s_x: 'max_parallel' should be a whole number from 1 to 64, not 'x'"},
      {"b\nx\n", "name: s_x\n", "sources/s.yaml:3:7: a source is called as its file is: 's'; rename the file, or write for_each: beside 'name'"},
  };
  for (const Mistake& c : cases) {
    const LoadOutcome outcome = With({{"lists/b.csv", c.list}, {"sources/s.yaml", std::string("type: files\nlocation: d\n") + c.source + "streams:\n  t: {glob: '*'}\n"}});
    EXPECT_EQ(Joined(outcome), c.problems) << c.source << c.list;
  }
}

TEST(ForEach, NamesOfOtherFilesAreTaken) {
  const LoadOutcome outcome = With({{"sources/s_a.yaml", kSource}, {"sources/s.yaml", "type: files\nlocation: d\nfor_each: [a]\nname: s_$each\nstreams:\n  t: {glob: '*'}\n"}});
  EXPECT_EQ(Joined(outcome), "sources/s_a.yaml:1:1: two sources are named 's_a' (also by sources/s.yaml); rename one of them");
}

TEST(ForEach, ABrokenListHidesNoModelsInput) {
  const LoadOutcome outcome = With({{"sources/s.yaml", "type: files\nlocation: d\nfor_each: []\nname: s_$each\nstreams:\n  t: {glob: '*'}\n"},
                                    {"models/silver/m.sql", "SELECT 1 --gives id BIGINT\nFROM s_a.t"}});
  EXPECT_EQ(outcome.problems.size(), 1u) << Joined(outcome);
}

TEST(Expectations, StreamsTakeThemFromTheirSource) {
  const LoadOutcome outcome = With({{"sources/s.yaml",
                                     "type: files\nlocation: d\nfreshness: 26h\nvolume: {min: 1, max: 9, change: {warn: 30%, fail: 60}, per: file, severity: warn}\n"
                                     "streams:\n  a: {glob: '*'}\n  b: {glob: '*', freshness: 1h, volume: {min: 5}}\n"}});
  ASSERT_TRUE(outcome.project) << Joined(outcome);
  const Expectation& a = outcome.project->ExpectedOf("s.a");
  EXPECT_EQ(a.freshness, std::chrono::hours(26));
  ASSERT_TRUE(a.volume);
  EXPECT_EQ(a.volume->least, 1);
  EXPECT_EQ(a.volume->most, 9);
  EXPECT_EQ(a.volume->warn, 30.0);
  EXPECT_EQ(a.volume->fail, 60.0);
  EXPECT_TRUE(a.volume->per_file);
  EXPECT_EQ(a.volume->severity, Severity::kWarn);
  const Expectation& b = outcome.project->ExpectedOf("s.b");
  EXPECT_EQ(b.freshness, std::chrono::hours(1));
  ASSERT_TRUE(b.volume);
  EXPECT_EQ(b.volume->least, 5);
  EXPECT_FALSE(b.volume->most);
  EXPECT_FALSE(outcome.project->ExpectedOf("s.c").freshness);
}

TEST(Expectations, Mistakes) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"freshness: 0s\n", "sources/s.yaml:3:12: 'freshness' leaves no time; write freshness: 26h, or take it out"},
      {"freshness: daily\n", "sources/s.yaml:3:12: 'freshness' is not a duration: 'daily'; write a number and a unit of ms, s, m, h, d, such as 15m or 48h"},
      {"volume: 5\n", "sources/s.yaml:3:9: 'volume' should be a map of words and values, not a value; write 'word: value', one a line, indented below it"},
      {"volume: {}\n", "sources/s.yaml:3:9: 'volume' does not say how many rows are right; write {min: 900, max: 1100}, {change: {warn: 30%, fail: 60%}}, or both"},
      {"volume: {min: 9, max: 1}\n", "sources/s.yaml:3:9: 'volume' has a min above its max: no load is right; let max be the larger of the two"},
      {"volume: {min: -1}\n", "sources/s.yaml:3:15: 'min' should be a whole number from 0 to 9223372036854775807, not '-1'"},
      {"volume: {change: {warn: lots}}\n", "sources/s.yaml:3:25: 'warn' should be a percentage, not 'lots'; write 30%"},
      {"volume: {change: {}}\n", "sources/s.yaml:3:18: 'change' needs warn, fail or both; write {warn: 30%, fail: 60%}"},
      {"volume: {change: {warn: 60%, fail: 30%}}\n", "sources/s.yaml:3:18: 'change' fails before it warns; let fail be the larger of the two"},
      {"volume: {min: 1, per: row}\n", "sources/s.yaml:3:23: 'per' cannot be 'row'; there are: load, file"},
      {"volume: {min: 1, severity: reject}\n", "sources/s.yaml:3:28: 'severity' of a volume cannot be 'reject'; there are: fail, warn"},
      {"volume: {mn: 1}\n", "sources/s.yaml:3:9: 'volume' does not say how many rows are right; write {min: 900, max: 1100}, {change: {warn: 30%, fail: 60%}}, or both\n"
                            "sources/s.yaml:3:10: unknown word 'mn' in 'volume'; did you mean 'min'?"},
  };
  for (const auto& [words, problems] : cases) {
    const LoadOutcome outcome = With({{"sources/s.yaml", std::string("type: files\nlocation: d\n") + words + "streams:\n  t: {glob: '*'}\n"}});
    EXPECT_EQ(Joined(outcome), problems) << words;
  }
}

}  // namespace
}  // namespace caudal
