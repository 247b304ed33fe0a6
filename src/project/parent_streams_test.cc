#include "project/parent_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace caudal {
namespace {

StreamConfig Stream(const std::string& name, const std::string& path) {
  StreamConfig stream;
  stream.name = name;
  stream.options = DumpJson(Json{{"endpoint", {{"path", path}}}});
  stream.place = Place{"sources/api.yaml", 7, 3};
  return stream;
}

struct Linked {
  std::vector<Json> options;
  std::vector<Problem> problems;
};

Linked LinkOf(const std::vector<StreamConfig>& streams) {
  SourceConfig source;
  source.streams = streams;
  ProblemList problems;
  LinkParents(source, FileContext{"sources/api.yaml", &problems});
  Linked linked;
  for (const StreamConfig& stream : source.streams) linked.options.push_back(*ParseJson(stream.options, ""));
  linked.problems = problems.Take();
  return linked;
}

TEST(LinkParents, GivesAStreamTheOptionsOfThoseAboveIt) {
  const Linked linked = LinkOf({Stream("lines", "orders/{resources.orders.id}/lines"), Stream("orders", "orders"),
                                Stream("taxes", "lines/{resources.lines.id}")});
  EXPECT_TRUE(linked.problems.empty());
  const Json orders{{"endpoint", {{"path", "orders"}}}};
  EXPECT_EQ(linked.options[1], orders);
  EXPECT_EQ(linked.options[0]["parents"], (Json{{"orders", orders}}));
  EXPECT_EQ(linked.options[2]["parents"]["lines"]["parents"], (Json{{"orders", orders}}));
}

TEST(LinkParents, KnowsTheParameterThatResolves) {
  StreamConfig lines = Stream("lines", "orders/{order}/lines");
  Json options = *ParseJson(lines.options, "");
  options["endpoint"]["params"]["order"] = {{"type", "resolve"}, {"resource", "orders"}, {"field", "id"}};
  lines.options = DumpJson(options);
  EXPECT_TRUE(LinkOf({Stream("orders", "orders"), lines}).options[1]["parents"].contains("orders"));
}

TEST(LinkParents, NamesAParentThatIsNoneOrItself) {
  const Linked unknown = LinkOf({Stream("orders", "orders"), Stream("lines", "{resources.order.id}")});
  ASSERT_EQ(unknown.problems.size(), 1U);
  EXPECT_EQ(unknown.problems[0].message, "the stream 'lines' takes values of 'order', which is no stream of this source");
  EXPECT_EQ(unknown.problems[0].next, "did you mean 'orders'?");
  const Linked round = LinkOf({Stream("a", "{resources.b.id}"), Stream("b", "{resources.a.id}")});
  ASSERT_EQ(round.problems.size(), 2U);
  EXPECT_THAT(round.problems[0].message, ::testing::HasSubstr("and so of itself"));
  EXPECT_EQ(LinkOf({Stream("a", "{resources.a.id}")}).problems.size(), 1U);
  const Linked two = LinkOf({Stream("a", "x"), Stream("b", "x"), Stream("c", "{resources.a.id}/{resources.b.id}")});
  ASSERT_EQ(two.problems.size(), 1U);
  EXPECT_EQ(two.problems[0].message, "the stream 'c' takes values of two streams: 'a', 'b'");
  StreamConfig without = Stream("a", "x");
  without.options = R"({"endpoint": {"path": "x"}, "include_from_parent": ["id"]})";
  EXPECT_EQ(LinkOf({without}).problems.at(0).message, "the stream 'a' has include_from_parent, and names no parent");
}

}  // namespace
}  // namespace caudal
