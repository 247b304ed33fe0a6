// What a source's `location:` asks of the worker that reads it: files, the network, keys.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/result.h"
#include "data/connector_spec.h"
#include "store/aws_credentials.h"

namespace caudal {

/// The value of the spec's kPlace option, wherever it stands; "" = it has none.
std::string LocationOf(const ConnectorSpec& spec, const Json& options, const std::map<std::string, std::string>& secrets);

/// True for a URL, false for a folder.
bool IsRemotePlace(const std::string& location);
/// The one TCP port that the worker must reach; 0 = any (FTP opens others, an object store stands anywhere).
int PortOfPlace(const std::string& location);

/// s3:// without keys in the source: those that AWS's tools would find, with endpoint and region, beside the job's secrets.
/// Errors: kPermission naming every place that was looked at.
Status AddStoreKeys(const std::string& location, const Json& options, const Environment& environment, const Clock& clock,
                    std::map<std::string, std::string>& secrets);

}  // namespace caudal
