// A stream of `files` over a local folder, for tests. Header only; base/json.h stands before it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/json_fwd.h"
#include "connect/source_testing.h"

namespace caudal {

class Files : public ::testing::Test {
 protected:
  SourceRequest Request(const std::string& cursor = "") const {
    SourceRequest request;
    request.source = "stores";
    request.stream = "lines";
    request.project_folder = folder.path();
    request.options = DumpJson(options);
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  ReadDone Read(const std::string& cursor = "") const { return ReadFrom(connector, Request(cursor)); }
  std::string ErrorOf(const std::string& cursor = "") const {
    const ReadDone done = Read(cursor);
    return done.read ? "" : done.read.error().message;
  }

  TempFolder folder;
  Json options{{"location", "drops"}, {"settle", "0s"}};
  Json stream{{"glob", "*.csv"}};
  const Connector& connector = **BuiltinRegistry().Find("files");
};

}  // namespace caudal
