// What S3 does on bad days: cut connections, 409, 500, 503, wrong bytes. On a stub, since no server does it on demand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/s3_stub_testing.h"

namespace caudal {
namespace {

using Kind = StubFault::Kind;
using ::testing::HasSubstr;
using ::testing::Not;

/// The n-th PUT meets `fault`, for n in [first, last].
StubS3::Faults OnPuts(StubFault fault, int first, int last) {
  auto puts = std::make_shared<int>(0);  // shared: std::function copies its target
  return [=](const StubRequest& request, int) {
    if (request.method != "PUT") return StubFault{};
    ++*puts;
    return *puts >= first && *puts <= last ? fault : StubFault{};
  };
}

std::unique_ptr<S3Store> StoreOf(const StubS3& stub) { return std::move(MakeS3Store(stub.Options())).value(); }

TEST(S3Faults, ACreationIsSettledWhereverItsConnectionIsCut) {
  for (const Kind kind : {Kind::kCutBefore, Kind::kCutAfter}) {
    StubS3 stub(OnPuts({kind, 0, "", ""}, 1, 1));
    auto store = StoreOf(stub);
    const Status made = store->PutIfAbsent("log/1", "mine");
    EXPECT_TRUE(made) << made.error().message;
    EXPECT_EQ(stub.Objects().at("/lake/log/1"), "mine");
  }
}

TEST(S3Faults, AServerErrorAfterTheEffectIsNoSecondWriter) {
  StubS3 stub(OnPuts({Kind::kAnswerAfter, 500, "InternalError", ""}, 1, 1));
  EXPECT_TRUE(StoreOf(stub)->PutIfAbsent("log/1", "mine"));
}

TEST(S3Faults, SomebodyElsesObjectStaysSomebodyElses) {
  StubS3 stub(OnPuts({Kind::kCutBefore, 0, "", ""}, 1, 1));
  stub.PutBySomebody("log/1", "mine");  // the very same bytes
  EXPECT_EQ(StoreOf(stub)->PutIfAbsent("log/1", "mine").error().kind, ErrorKind::kAlreadyExists);
}

TEST(S3Faults, WhatCannotBeFoundOutIsUnknown) {
  // Every PUT is cut before its effect: the last one may still be under way.
  StubS3 cut(OnPuts({Kind::kCutBefore, 0, "", ""}, 1, 1000));
  EXPECT_EQ(StoreOf(cut)->PutIfAbsent("log/1", "mine").error().kind, ErrorKind::kCommitUnknown);
  // Nobody answers at all after the first PUT.
  StubS3 silent([](const StubRequest&, int) { return StubFault{Kind::kCutAfter, 0, "", ""}; });
  EXPECT_EQ(StoreOf(silent)->PutIfAbsent("log/1", "mine").error().kind, ErrorKind::kCommitUnknown);
}

TEST(S3Faults, WhatWasRefusedCertainlyDidNotHappen) {
  StubS3 stub(OnPuts({Kind::kAnswer, 503, "SlowDown", ""}, 1, 1000));
  const Status status = StoreOf(stub)->PutIfAbsent("log/1", "mine");
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(status.error().message, HasSubstr("SlowDown"));
  EXPECT_EQ(stub.Requests().size(), 8U) << "eight tries and no look, since nothing can have happened";
  S3Options nobody = stub.Options();
  nobody.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ((*MakeS3Store(nobody))->PutIfAbsent("log/1", "mine").error().kind, ErrorKind::kUnavailable);
}

TEST(S3Faults, PassingRefusalsAreTriedAgain) {
  for (const StubFault& fault : {StubFault{Kind::kAnswer, 503, "SlowDown", ""}, {Kind::kAnswer, 500, "InternalError", ""}, {Kind::kAnswer, 429, "", ""},
                                 {Kind::kAnswer, 409, "ConditionalRequestConflict", ""}, {Kind::kAnswer, 400, "RequestTimeout", ""}}) {
    StubS3 stub(OnPuts(fault, 1, 3));
    EXPECT_TRUE(StoreOf(stub)->PutIfAbsent("log/1", "mine")) << fault.code;
  }
  StubS3 stub([](const StubRequest&, int number) {
    return number <= 3 ? StubFault{Kind::kAnswer, 503, "SlowDown", ""} : StubFault{};
  });
  stub.PutBySomebody("a", "bytes");
  EXPECT_EQ(*StoreOf(stub)->Get("a"), "bytes");
}

TEST(S3Faults, ACutReadIsReadAgain) {
  StubS3 stub([](const StubRequest&, int number) { return number <= 2 ? StubFault{Kind::kCutAfter, 0, "", ""} : StubFault{}; });
  stub.PutBySomebody("a", "bytes");
  EXPECT_EQ(*StoreOf(stub)->Get("a"), "bytes");
}

TEST(S3Faults, ReadsAreComparedWithTheDigest) {
  StubS3 stub([](const StubRequest&, int) { return StubFault{}; });
  auto store = StoreOf(stub);
  ASSERT_TRUE(store->Put("a", "bytes"));
  EXPECT_EQ(*store->Get("a"), "bytes");
  StubS3 other([](const StubRequest& request, int) {
    if (request.method == "PUT") const_cast<StubRequest&>(request).body = "bytez";  // what a bad disk would do
    return StubFault{};
  });
  auto broken = StoreOf(other);
  ASSERT_TRUE(broken->Put("a", "bytes"));
  EXPECT_EQ(broken->Get("a").error().kind, ErrorKind::kCorruption);
}

TEST(S3Faults, RefusalsSayWhatToDoAndNoSecret) {
  const auto error_of = [](int status, const std::string& code) {
    StubS3 stub([&](const StubRequest&, int) { return StubFault{Kind::kAnswer, status, code, ""}; });
    return StoreOf(stub)->Get("a").error();
  };
  EXPECT_EQ(error_of(403, "AccessDenied").kind, ErrorKind::kPermission);
  EXPECT_EQ(error_of(403, "SignatureDoesNotMatch").kind, ErrorKind::kPermission);
  EXPECT_EQ(error_of(404, "NoSuchKey").kind, ErrorKind::kNotFound);
  EXPECT_EQ(error_of(404, "NoSuchBucket").kind, ErrorKind::kInvalidArgument) << "an absent bucket is no absent object";
  EXPECT_EQ(error_of(301, "PermanentRedirect").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(error_of(501, "NotImplemented").kind, ErrorKind::kUnsupported);
  for (const char* code : {"AccessDenied", "SignatureDoesNotMatch", "ExpiredToken"}) {
    const Error error = error_of(403, code);
    EXPECT_THAT(error.ToString(), Not(HasSubstr("testsecret")));
    EXPECT_THAT(error.ToString(), Not(HasSubstr("Signature=")));
    EXPECT_FALSE(error.next.empty());
  }
}

}  // namespace
}  // namespace caudal
