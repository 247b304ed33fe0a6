// Whom to tell what: `alerts` of caudal.yaml. Values. Words: docs/project.md#alerts.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "project/check_spec.h"

namespace caudal {

struct AlertChannel {
  enum class Kind { kWebhook, kSlack, kTeams, kSmtp };
  enum class Tls { kStart, kWhole, kNone };  // STARTTLS, TLS from the first byte, neither
  std::string name;
  Kind kind = Kind::kWebhook;
  std::string url;  // not smtp
  std::string host, user, from;  // smtp
  int port = 0;
  Tls tls = Tls::kStart;
  std::vector<std::string> to;
  std::string ca_file;  // absolute; "" = the system's authorities
  /// "url", "secret", "user", "password" -> name of the environment variable or secret-file entry.
  std::map<std::string, std::string> secrets;
  std::chrono::milliseconds pause{10'000};  // between two messages; what comes meanwhile goes into one
  Place place;
};

struct AlertRule {
  std::vector<std::string> on;                        // words of kAlertWords; empty = all
  std::vector<std::string> pipelines, owners, tags;   // any of them; all empty = every pipeline
  std::vector<std::string> to;                        // channels
  std::chrono::milliseconds repeat{3'600'000};        // while it goes on, tell again no sooner
  /// `rejects` is told where one load rejected more: so many rows, or so many percent of those it read.
  double rejects_above = 0;
  bool rejects_percent = false;
  Place place;
};

struct AlertConfig {
  std::vector<AlertChannel> channels;
  std::vector<AlertRule> rules;
};

/// failed, recovered, late, checks_failed, checks_warned, missed, project, schema_drift, rejects.
const std::vector<std::string>& AlertWords();

}  // namespace caudal
