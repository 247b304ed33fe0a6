// Asks each place that AWS's tools know for keys, once and now; aws_credentials.h keeps and refreshes the answer.
// Thread-safe: const.
#pragma once

#include <string>

#include "store/aws_credentials.h"
#include "store/wire.h"

namespace caudal {

class AwsKeySource {
 public:
  AwsKeySource(Environment environment, std::string region);
  /// The first place that is set up; a place that is set up and fails is the error, not a reason to go on.
  Result<AwsKeys> Ask() const;

 private:
  Result<std::optional<AwsKeys>> FromEnvironment() const;
  Result<std::optional<AwsKeys>> FromWebIdentity() const;
  Result<std::optional<AwsKeys>> FromSharedFile() const;
  Result<std::optional<AwsKeys>> FromContainer() const;
  Result<std::optional<AwsKeys>> FromInstance() const;
  Result<WireReply> Get(Wire& wire, const WireRequest& request, const std::string& place) const;

  const Environment x_environment;
  const std::string x_region;
};

}  // namespace caudal
