// Gives messages to the servers of channels: one POST, or one mail. Only delivery.cc knows libcurl here. It sends and never
// reads a source, follows no redirect, and repeats nothing: the outbox does. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "ops/alert.h"

namespace caudal {

/// Sends the alerts as one message. `secrets`: option of the channel -> value; none of them is in an error's message.
/// Errors: kPermission (login, certificate, 401, 403), kInvalidArgument (other 4xx), kUnavailable, kTimeout, kCancelled.
Status Deliver(const AlertChannel& channel, const std::map<std::string, std::string>& secrets, const std::vector<Alert>& alerts,
               Timestamp now, const std::atomic<bool>& cancel);

/// The headers of a signed webhook, as https://www.standardwebhooks.com has them. A secret that begins with whsec_ is base64.
std::map<std::string, std::string> WebhookHeaders(const std::string& secret, const std::string& id, Timestamp now, const std::string& body);

}  // namespace caudal
