// What `caudal sources` says of the next read, from the cursors that connectors commit.
#include <gtest/gtest.h>

#include "connect/source.h"

namespace caudal {
namespace {

struct Case {
  const char* connector;
  const char* options;
  const char* cursor;
  const char* says;
};

TEST(NextInWords, OfEveryConnector) {
  const std::vector<Case> cases = {
      {"files", R"({"glob": "*.csv"})", "", "files that match *.csv"},
      {"files", R"({"glob": "*.csv"})", R"({"files": {"a.csv": {}, "b.csv": {}}})", "files that match *.csv but the 2 that were loaded, to b.csv, unless they change"},
      {"sqlite", "{}", "", "all rows"},
      {"sqlite", R"({"incremental": {"cursor": "id"}})", "", "all rows, then by id"},
      {"sqlite", R"({"incremental": {"cursor": "id", "initial_value": "7"}})", "", "rows with id from 7 on"},
      {"sqlite", R"({"incremental": {"cursor": "id"}})", R"({"column": "id", "value": "42", "state": "x"})", "rows with id from 42 on, if the file has changed"},
      {"postgres", R"({"incremental": {"cursor": "at", "lag": "10m"}})", R"({"column": "at", "value": "2026-01-31"})", "rows with at from 2026-01-31 less 10m on"},
      // Another column than the cursor's means another history.
      {"mysql", R"({"incremental": {"cursor": "at"}})", R"({"column": "id", "value": "42"})", "all rows, then by at"},
      {"delta", "{}", "", "the newest version"},
      {"delta", "{}", R"({"version": 3})", "the newest version, if there is one after 3"},
      {"http", R"({"endpoint": {"path": "v1/daily"}})", "", "all of v1/daily"},
      {"http", R"({"endpoint": {"path": "v1/daily"}})", R"({"etag": "x"})", "all of v1/daily, if it has changed"},
      {"http", "{}", R"({"value": "2026-01-31"})", "records from 2026-01-31 on"},
      {"unheard", "{}", "", "everything"},
      {"unheard", "{}", R"({"at": 7})", R"(what comes after {"at": 7})"},
  };
  for (const Case& c : cases) EXPECT_EQ(NextInWords(BuiltinRegistry(), c.connector, c.options, c.cursor), c.says) << c.connector << c.cursor;
}

TEST(NextInWords, ACursorThatCannotBeReadIsNoCrash) {
  EXPECT_EQ(NextInWords(BuiltinRegistry(), "files", "{", "{"), "what comes after {");
  EXPECT_EQ(NextInWords(BuiltinRegistry(), "files", "[]", "{}"), "what comes after {}");
}

}  // namespace
}  // namespace caudal
