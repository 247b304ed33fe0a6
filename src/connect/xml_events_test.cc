#include "connect/xml_events.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

class Told final : public XmlHandler {
 public:
  Status OnStart(std::string_view name, const XmlAttributes& attributes) override {
    text += "<" + std::string(name) + std::string(attributes.Of("id"));
    if (name == "stop") return Error{ErrorKind::kCancelled, "enough", "", ""};
    return {};
  }
  Status OnText(std::string_view piece) override {
    text += piece;
    return {};
  }
  Status OnEnd(std::string_view) override {
    text += ">";
    return {};
  }
  std::string text;
};

std::string Parse(std::string_view document, std::string* told = nullptr) {
  Told handler;
  XmlEvents events("a.xml", handler);
  for (const char& c : document) {
    if (const Status fed = events.Feed(std::string_view(&c, 1)); !fed) return fed.error().message;
  }
  const Status finished = events.Finish();
  if (told != nullptr) *told = handler.text;
  return finished ? "" : finished.error().message;
}

TEST(XmlEvents, NamesComeWithoutPrefixInAnyEncodingThatExpatKnows) {
  std::string told;
  EXPECT_EQ(Parse("<x:a xmlns:x=\"u\" x:id=\"7\">é &amp; <b id='8'/></x:a>", &told), "");
  EXPECT_EQ(told, "<a7é & <b8>>");
  EXPECT_EQ(Parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>", &told), "");
  EXPECT_EQ(told, "<aé>");
  EXPECT_EQ(Parse("<a>\xC3</a>"), "a.xml: not well-formed (invalid token) in line 1");
}

TEST(XmlEvents, WhatBreaksOffOrIsHostileIsAnError) {
  EXPECT_EQ(Parse("<a>\n<b>"), "a.xml: no element found in line 2");
  EXPECT_EQ(Parse(""), "a.xml: no element found in line 1");
  EXPECT_EQ(Parse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "a.xml: a document type declaration, which no such file has");
  EXPECT_EQ(Parse("<a><stop/></a>"), "enough");
}

}  // namespace
}  // namespace caudal
