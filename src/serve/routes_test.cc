// The table of routes and the document say the same.
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "serve/openapi.h"
#include "serve/route.h"

namespace caudal {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

TEST(RoutesTest, EachIsInTheDocumentAndNoOtherIs) {
  const auto document = ParseJson(OpenApiText(), "openapi.json");
  ASSERT_TRUE(document);
  std::set<std::string> described, routed;
  for (const auto& [path, methods] : (*document)["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) described.insert(method + " " + path);
  }
  for (const Route& route : Routes()) {
    const std::string name = Lower(route.method) + " " + route.path;
    EXPECT_TRUE(routed.insert(name).second) << name << " stands twice";
    ASSERT_TRUE(described.contains(name)) << name;
    const Json& operation = (*document)["paths"][route.path][Lower(route.method)];
    EXPECT_EQ(operation["x-role"], RoleName(route.role)) << name;
    EXPECT_EQ(operation.contains("requestBody"), route.body) << name;
    std::set<std::string> query, known;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      if (parameter["in"] == "query") query.insert(parameter["name"].get<std::string>());
    }
    std::string word;
    for (const char c : std::string(route.query) + " ") {
      if (c != ' ') {
        word += c;
      } else if (!word.empty()) {
        known.insert(std::exchange(word, ""));
      }
    }
    EXPECT_EQ(query, known) << name;
  }
  EXPECT_EQ(described, routed);
}

TEST(RoutesTest, NothingIsChangedByGetAndLittleIsOpen) {
  std::set<std::string> open;
  for (const Route& route : Routes()) {
    if (route.role == Role::kNone) open.insert(std::string(route.method) + " " + route.path);
  }
  EXPECT_EQ(open, (std::set<std::string>{"GET /health/live", "GET /health/ready", "GET /api/v1/openapi.json", "GET /api/v1/setup", "POST /api/v1/setup",
                                         "POST /api/v1/session"}))
      << "a route that everybody may call wants a reason";
}

}  // namespace
}  // namespace caudal
