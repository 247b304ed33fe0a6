#include "lake/faces/avro.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "lake/faces/iceberg_value.h"

namespace caudal {
namespace {

constexpr std::string_view kSchema =
    R"({"type":"record","name":"r","fields":[{"name":"n","type":"long"},{"name":"t","type":["null","string"]},
        {"name":"l","type":{"type":"array","items":"int"}},{"name":"b","type":"boolean"},{"name":"d","type":"double"},
        {"name":"f","type":{"type":"fixed","name":"x","size":2}},{"name":"m","type":{"type":"map","values":"long"}}]})";

std::string Sample() {
  AvroEncoder out;
  out.Long(-65).Branch(1).Bytes("ñ").Items(2).Long(1).Long(2147483647).End().Boolean(true).Double(1.5).Fixed("ab").Items(1).Bytes("k").Long(7).End();
  out.Long(INT64_MIN).Branch(0).Items(0).End().Boolean(false).Double(-0.0).Fixed("cd").End();
  return AvroContainer(kSchema, {{"own", "text"}}, AvroSync{'s'}, 2, out.bytes());
}

TEST(Avro, WhatIsWrittenIsReadBack) {
  auto file = ReadAvroContainer(Sample());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->metadata["own"], "text");
  ASSERT_EQ(file->records.size(), 2U);
  EXPECT_EQ(file->records[0].dump(), R"({"b":true,"d":1.5,"f":"ab","l":[1,2147483647],"m":{"k":7},"n":-65,"t":"ñ"})");
  EXPECT_EQ(file->records[1]["n"], INT64_MIN);
  EXPECT_TRUE(file->records[1]["t"].is_null());
}

TEST(Avro, NumbersAreZigZag) {
  EXPECT_EQ(AvroEncoder().Long(0).Long(-1).Long(1).Long(-64).Long(64).bytes(), std::string("\x00\x01\x02\x7f\x80\x01", 6));
}

TEST(Avro, NoRecordsNoBlock) {
  std::string bytes = AvroContainer("\"long\"", {}, AvroSync{'s'}, 0, "");
  EXPECT_EQ(ReadAvroContainer(bytes)->records.size(), 0U);
  EXPECT_EQ(bytes.substr(bytes.size() - 16), std::string("s") + std::string(15, '\0'));
}

/// Cut anywhere, or with any byte changed, it is refused or read; nothing else happens.
TEST(Avro, DamagedFilesAreRefusedOrRead) {
  std::string whole = Sample();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto file = ReadAvroContainer(std::string_view(whole).substr(0, size));
    bool head_alone = file && file->records.empty();
    EXPECT_TRUE(!file || head_alone) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      (void)ReadAvroContainer(damaged);
    }
  }
}

std::string Hex(const std::optional<std::string>& bytes) {
  std::string hex;
  for (unsigned char c : bytes.value_or("none")) hex += "0123456789abcdef"[c >> 4], hex += "0123456789abcdef"[c & 15];
  return hex;
}

TEST(IcebergValue, BoundsAsTheSpecificationHasThem) {
  auto bytes = [](const char* type, const char* text) { return Hex(IcebergBytes(*ParseType(type), text)); };
  EXPECT_EQ(bytes("INTEGER", "34"), "22000000");
  EXPECT_EQ(bytes("BIGINT", "-2"), "feffffffffffffff");
  EXPECT_EQ(bytes("DATE", "1970-01-02"), "01000000");
  EXPECT_EQ(bytes("DATE", "1969-12-31"), "ffffffff");
  EXPECT_EQ(bytes("TIMESTAMPTZ", "1970-01-01 00:00:00.000001+00"), "0100000000000000");
  EXPECT_EQ(bytes("DOUBLE", "1.5"), "000000000000f83f");
  EXPECT_EQ(bytes("BOOLEAN", "true"), "01");
  EXPECT_EQ(bytes("VARCHAR", "ñ"), "c3b1");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "14.20"), "058c");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "14.2"), "058c");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "1.27"), "7f");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "1.28"), "0080");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "-1.28"), "80");
  EXPECT_EQ(bytes("DECIMAL(9,2)", "-1.29"), "ff7f");
  EXPECT_EQ(bytes("DECIMAL(38,0)", "99999999999999999999999999999999999999"), "4b3b4ca85a86c47a098a223fffffffff");
  for (const char* none : {"", "-", "x", "1e5", "1.234", "nan"}) {
    EXPECT_EQ(IcebergBytes(*ParseType("DECIMAL(9,2)"), none), std::nullopt) << none;
  }
  EXPECT_EQ(IcebergBytes(*ParseType("DOUBLE"), "nan"), std::nullopt);
  EXPECT_EQ(IcebergBytes(*ParseType("BIGINT"), "99999999999999999999"), std::nullopt);
}

TEST(IcebergValue, DecimalsTakeTheFewestBytes) {
  EXPECT_EQ(DecimalBytes(2), 1);
  EXPECT_EQ(DecimalBytes(10), 5);
  EXPECT_EQ(DecimalBytes(18), 8);
  EXPECT_EQ(DecimalBytes(38), 16);
}

}  // namespace
}  // namespace caudal
