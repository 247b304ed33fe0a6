#include "flow/source_place.h"

#include <cstdlib>

#include "base/json.h"
#include "store/s3.h"

namespace caudal {

std::string LocationOf(const ConnectorSpec& spec, const Json& options, const std::map<std::string, std::string>& secrets) {
  for (const OptionSpec& option : spec.options) {
    if (option.type != OptionType::kPlace) continue;
    const auto secret = secrets.find(option.name);
    return secret != secrets.end() ? secret->second : JsonString(options, option.name, "");
  }
  return "";
}

bool IsRemotePlace(const std::string& location) { return location.find("://") != std::string::npos; }

int PortOfPlace(const std::string& location) {
  const std::size_t colon = location.find("://");
  if (colon == std::string::npos) return 0;
  const std::string scheme = location.substr(0, colon);
  const int usual = scheme == "sftp" ? 22 : scheme == "http" ? 80 : scheme == "https" ? 443 : 0;
  if (usual == 0) return 0;
  const std::string rest = location.substr(colon + 3);
  const std::string host = rest.substr(0, rest.find('/'));
  const std::size_t bracket = host.rfind(']');
  const std::size_t port = host.find(':', bracket == std::string::npos ? 0 : bracket);
  return port == std::string::npos ? usual : std::atoi(host.c_str() + port + 1);
}

Status AddStoreKeys(const std::string& location, const Json& options, const Environment& environment, const Clock& clock,
                    std::map<std::string, std::string>& secrets) {
  if (!location.starts_with("s3://") || secrets.contains("access_key_id")) return {};
  TRY_ASSIGN(const S3Options found, S3OptionsOf(location, environment, clock));
  TRY_ASSIGN(const AwsKeys keys, found.credentials->Keys());
  secrets["access_key_id"] = keys.id;
  secrets["secret_access_key"] = keys.secret;
  if (!keys.session_token.empty()) secrets["session_token"] = keys.session_token;
  if (!options.contains("endpoint") && !found.endpoint.empty()) secrets["endpoint"] = found.endpoint;
  if (!options.contains("region")) secrets["region"] = found.region;
  return {};
}

}  // namespace caudal
