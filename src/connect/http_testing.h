// What the tests of HTTP sources share: the server, a source that reads it, and its answers. Header only; base/json.h
// comes before it.
#pragma once

#include <gtest/gtest.h>

#include "connect/source_testing.h"

namespace caudal {

class HttpTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<TestServer>(); }
  static void TearDownTestSuite() { server = nullptr; }

  SourceRequest Request(const Json& endpoint, const std::string& cursor = "") const {
    SourceRequest request;
    request.source = "api";
    request.stream = "items";
    request.options = DumpJson(Json{{"client", client}});
    Json stream = more;
    stream["endpoint"] = endpoint;
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    request.secrets = secrets;
    return request;
  }
  ReadDone Read(const Json& endpoint, const std::string& cursor = "") const {
    return ReadFrom(connector, Request(endpoint, cursor));
  }
  std::int64_t Rows(const Json& endpoint) const {
    const ReadDone done = Read(endpoint);
    EXPECT_TRUE(done.read) << done.read.error().message;
    return done.read ? done.rows() : -1;
  }
  Error ErrorOf(const Json& endpoint) const {
    const ReadDone done = Read(endpoint);
    EXPECT_FALSE(done.read);
    return done.read ? Error{} : done.read.error();
  }
  /// The records of a read, as JSON.
  static std::vector<Json> RecordsOf(const ReadDone& done) {
    std::vector<Json> records;
    std::stringstream lines(done.Records());
    for (std::string line; std::getline(lines, line);) records.push_back(*ParseJson(line.substr(line.find('{')), line));
    return records;
  }
  static std::string RawOf(const ReadDone& done) { return Shell("zstd -dc " + done.read->chunks.at(0).raw_path); }

  inline static std::unique_ptr<TestServer> server;
  Json client{{"base_url", server->url()}, {"allow_private", true}};
  Json more = Json::object();  // beside `endpoint`
  std::vector<std::string> secrets;
  const Connector& connector = **BuiltinRegistry().Find("http");
};

}  // namespace caudal
