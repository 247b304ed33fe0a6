// What of the things that happened is worth telling, and to whom. Decisions without I/O; what must be remembered of a pipeline
// between two events is a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ops/alert.h"
#include "project/project.h"
#include "state/state_store.h"

namespace caudal {

/// What is remembered of a pipeline, or of the project itself.
struct Subject {
  std::optional<Timestamp> failing_since;
  std::optional<Timestamp> late_since;  // the deadline
  std::int64_t failures = 0;            // in a row
  std::map<std::string, Timestamp> told;  // "<word>/<channel>" -> when last
};
std::string SubjectToJson(const Subject& subject);
/// An unreadable text is an empty subject.
Subject SubjectFromJson(const std::string& text);

/// An event, with what the state store knows of its run.
struct Happening {
  EventRecord event;
  std::vector<TaskRecord> tasks;
  std::vector<CheckRecord> checks;
};

/// The name of the subject of an event that may be worth telling: a pipeline of the project, or "" for the project itself.
/// Nothing for an event that tells nobody.
std::optional<std::string> SubjectOf(const Project& project, const EventRecord& event);

struct Telling {
  Alert alert;
  std::vector<std::string> channels;
};
/// Changes `subject` by what happened. Nothing where nobody is to be told.
std::optional<Telling> Tell(const Project& project, const Happening& happening, Subject& subject);

}  // namespace caudal
