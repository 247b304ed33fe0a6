// What people are told, as a value, and the forms in which channels take it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "project/alert_config.h"

namespace caudal {

struct Alert {
  std::string id;                  // the same each time that it is sent
  std::vector<std::string> words;  // of AlertWords: what it is about
  std::string project, pipeline, run;
  Timestamp at;
  std::optional<Timestamp> since;
  std::string title;               // one line
  std::vector<std::string> facts;  // what happened, a line each
  std::vector<std::string> blocks; // tables and pipelines that wait
  std::string type;                // what to type, "" = nothing
};

std::string AlertToJson(const Alert& alert);
/// Errors: kCorruption.
Result<Alert> AlertFromJson(const std::string& text);

/// Several alerts as one text for people: title lines, then what each says.
std::string AlertText(const std::vector<Alert>& alerts);
std::string AlertTitle(const std::vector<Alert>& alerts);

/// The body for a channel of that kind; not smtp.
std::string AlertPayload(AlertChannel::Kind kind, const std::vector<Alert>& alerts);

/// A whole mail, lines ended by CRLF.
std::string AlertMail(const AlertChannel& channel, const std::vector<Alert>& alerts, Timestamp now);

}  // namespace caudal
