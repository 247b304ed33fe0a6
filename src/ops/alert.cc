#include "ops/alert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hmac.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/utf8.h"

namespace caudal {
namespace {

constexpr std::size_t kMostText = 3500;  // of a chat message; Teams refuses cards of more than 28 KB, Slack cuts at 40,000

Json DocumentOf(const Alert& alert) {
  Json json{{"id", alert.id},       {"words", alert.words}, {"project", alert.project}, {"pipeline", alert.pipeline},
            {"run", alert.run},     {"at", FormatTimestampMs(alert.at)}, {"title", alert.title}, {"facts", alert.facts},
            {"blocks", alert.blocks}, {"type", alert.type}, {"since", nullptr}};
  if (alert.since) json["since"] = FormatTimestampMs(*alert.since);
  return json;
}

std::vector<std::string> Texts(const Json& json, const char* key) {
  std::vector<std::string> texts;
  if (!json.contains(key) || !json[key].is_array()) return texts;
  for (const Json& item : json[key]) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string Joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string OneText(const Alert& alert) {
  std::string text = alert.title + "\n";
  for (const std::string& fact : alert.facts) text += "  " + fact + "\n";
  if (alert.since) text += "  since " + FormatTimestamp(*alert.since).substr(0, 19) + "Z\n";
  if (!alert.blocks.empty()) text += "  waits for it: " + Joined(alert.blocks) + "\n";
  if (!alert.type.empty()) text += "  type: " + alert.type + "\n";
  return text;
}

/// Not in the middle of a character.
std::string Cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return text + "\n...";
}

std::string SlackText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else escaped += c;
  }
  return escaped;
}

/// A header's value as RFC 2047 has it, where it is not plain ASCII.
std::string HeaderWords(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  text = Cut(std::move(text), 160);
  std::replace(text.begin(), text.end(), '\n', ' ');
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return text;
  std::string words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + 42, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    words += (words.empty() ? "" : "\r\n ") + ("=?utf-8?B?" + ToBase64(text.substr(at, end - at)) + "?=");
    at = end;
  }
  return words;
}

/// RFC 5322: "Sat, 21 Nov 2026 05:00:00 +0000".
std::string MailDate(Timestamp now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  return fmt::format("{}, {:02} {} {:04} {} +0000", kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()), FormatTimestamp(now).substr(11, 8));
}

}  // namespace

std::string AlertToJson(const Alert& alert) { return DumpJson(DocumentOf(alert)); }

Result<Alert> AlertFromJson(const std::string& text) {
  TRY_ASSIGN(const Json json, ParseJson(text, "an alert"));
  Alert alert;
  alert.id = JsonString(json, "id", "");
  alert.words = Texts(json, "words");
  alert.project = JsonString(json, "project", "");
  alert.pipeline = JsonString(json, "pipeline", "");
  alert.run = JsonString(json, "run", "");
  TRY_ASSIGN(alert.at, ParseTimestamp(JsonString(json, "at", "")));
  if (const std::string since = JsonString(json, "since", ""); !since.empty()) {
    TRY_ASSIGN(alert.since, ParseTimestamp(since));
  }
  alert.title = JsonString(json, "title", "");
  alert.facts = Texts(json, "facts");
  alert.blocks = Texts(json, "blocks");
  alert.type = JsonString(json, "type", "");
  return alert;
}

std::string AlertText(const std::vector<Alert>& alerts) {
  std::string text;
  for (const Alert& alert : alerts) text += (text.empty() ? "" : "\n") + OneText(alert);
  return text;
}

std::string AlertTitle(const std::vector<Alert>& alerts) {
  if (alerts.empty()) return "";
  return alerts.front().title + (alerts.size() > 1 ? fmt::format(", and {} more", alerts.size() - 1) : "");
}

std::string AlertPayload(AlertChannel::Kind kind, const std::vector<Alert>& alerts) {
  const std::string text = Cut(AlertText(alerts), kMostText);
  if (kind == AlertChannel::Kind::kSlack) return DumpJson(Json{{"text", SlackText(text)}});
  if (kind == AlertChannel::Kind::kTeams) {
    const Json title{{"type", "TextBlock"}, {"text", AlertTitle(alerts)}, {"weight", "Bolder"}, {"wrap", true}};
    const Json body{{"type", "TextBlock"}, {"text", text}, {"wrap", true}, {"fontType", "Monospace"}};
    const Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"}, {"type", "AdaptiveCard"}, {"version", "1.4"},
                    {"body", Json::array({title, body})}};
    const Json attachment{{"contentType", "application/vnd.microsoft.card.adaptive"}, {"contentUrl", nullptr}, {"content", card}};
    return DumpJson(Json{{"type", "message"}, {"attachments", Json::array({attachment})}});
  }
  Json document{{"alerts", Json::array()}, {"text", text}};
  for (const Alert& alert : alerts) document["alerts"].push_back(DocumentOf(alert));
  return DumpJson(document);
}

std::string AlertMail(const AlertChannel& channel, const std::vector<Alert>& alerts, Timestamp now) {
  std::string to;
  for (const std::string& address : channel.to) to += (to.empty() ? "" : ",\r\n ") + ("<" + address + ">");
  const std::string domain = channel.from.substr(channel.from.find('@') + 1);
  const std::string body = ToBase64(AlertText(alerts));
  std::string mail = "Date: " + MailDate(now) + "\r\nFrom: <" + channel.from + ">\r\nTo: " + to + "\r\nSubject: " + HeaderWords(AlertTitle(alerts)) +
                     "\r\nMessage-ID: <" + NewUuid() + "@" + domain + ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 76) mail += body.substr(at, 76) + "\r\n";
  return mail;
}

}  // namespace caudal
