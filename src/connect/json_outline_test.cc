#include "connect/json_outline.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace caudal {
namespace {

std::string Of(const std::string& body, const std::vector<std::string>& selector) {
  const std::optional<JsonOutline> outline = OutlineOf(body, selector);
  return outline ? std::to_string(outline->records) + " " + DumpJson(*outline->rest) : "none";
}

TEST(JsonOutline, CountsRecordsAndKeepsTheRest) {
  EXPECT_EQ(Of(R"({"data": [{"a": "]}\"["}, {"b": [1, {"c": []}]}, 3], "next": {"page": 2}})", {"data"}), R"(3 {"data":[],"next":{"page":2}})");
  EXPECT_EQ(Of(R"( [ 1 , "x" ] )", {}), "2 []");
  EXPECT_EQ(Of(R"({"a": {"x": [1], "list": [ ]}, "n": 1})", {"a", "list"}), R"(0 {"a":{"list":[],"x":[1]},"n":1})");
  EXPECT_EQ(Of(R"({"data": [null,true,-1.5e3]})", {"data"}), R"(3 {"data":[]})");
}

TEST(JsonOutline, GivesNothingForWhatIsToBeReadWhole) {
  for (const char* body : {"", "   ", "[", "[1", "[1,", "[1,]", "[1 2]", R"([{"a": 1])", R"([{"a": "b])", "[{]", "[,]", "{}", "7", R"([1] x)", R"(["a\)"}) {
    EXPECT_EQ(Of(body, {}), "none") << body;
  }
  for (const char* body : {R"({"data": {"a": 1}})", R"({"other": [1]})", R"({"d\u0061ta": [1]})", R"({"data": null})", R"({"data": [1])", R"({"data" [1]})",
                           R"({"a": , "data": [1]})", R"({"a": [1}, "data": [1]})"}) {
    EXPECT_EQ(Of(body, {"data"}), "none") << body;
  }
}

}  // namespace
}  // namespace caudal
