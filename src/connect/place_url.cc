#include "connect/place_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/percent.h"
#include "connect/folder.h"
#include "connect/ftp_place.h"
#include "connect/http_place.h"
#include "connect/patient_place.h"
#include "connect/s3_place.h"
#include "connect/sftp_place.h"

namespace caudal {
namespace {

int PortOfScheme(const std::string& scheme) {
  if (scheme == "sftp") return 22;
  if (scheme == "https") return 443;
  return scheme == "http" ? 80 : 21;
}

PlaceAccess AccessOf(const Options& options, const std::string& folder, std::function<bool()> cancelled) {
  const auto path = [&](const char* name) {
    const std::string text = options.Text(name, "");
    return text.empty() ? text : PathIn(folder, text);
  };
  PlaceAccess access;
  access.user = options.Text("user", "");
  access.password = options.Text("password", "");
  access.key_file = path("key_file");
  access.key_passphrase = options.Text("key_passphrase", "");
  access.host_keys = options.Texts("host_key");
  access.known_hosts = path("known_hosts");
  access.ca_file = path("ca_file");
  access.timeout = options.Duration("timeout", std::chrono::seconds(60));
  access.connect_timeout = std::min<std::chrono::milliseconds>(access.timeout, std::chrono::seconds(15));
  access.cancelled = std::move(cancelled);
  return access;
}

Result<std::unique_ptr<FilePlace>> OpenServer(const std::string& location, const Options& options, const std::string& folder,
                                              const std::function<bool()>& cancelled) {
  if (location.starts_with("s3://")) return OpenS3Place(location, options, PathIn(folder, options.Text("ca_file", "")));
  TRY_ASSIGN(PlaceUrl url, ParsePlaceUrl(location));
  PlaceAccess access = AccessOf(options, folder, cancelled);
  if (url.scheme == "sftp") return OpenSftpPlace(std::move(url), std::move(access));
  if (url.scheme == "ftp" || url.scheme == "ftps") return OpenFtpPlace(std::move(url), std::move(access));
  if (url.scheme == "http" || url.scheme == "https") return OpenHttpPlace(std::move(url), std::move(access));
  return Error{ErrorKind::kInvalidArgument, "`location:` cannot begin with " + url.scheme + "://",
               "write a folder, or s3://, sftp://, ftp://, ftps://, http:// or https://", ""};
}

}  // namespace

std::string PlaceUrl::Server() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return fmt::format("{}://{}{}", scheme, shown, port == PortOfScheme(scheme) ? "" : fmt::format(":{}", port));
}

Result<PlaceUrl> ParsePlaceUrl(const std::string& text) {
  const auto refuse = [&](const char* why) {
    return Error{ErrorKind::kInvalidArgument, std::string("`location:` ") + why, "write it as sftp://host/folder", ""};
  };
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) return refuse("is no URL");
  PlaceUrl url;
  url.scheme = text.substr(0, colon);
  for (char& c : url.scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::string rest = text.substr(colon + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string host = rest.substr(0, slash);
  rest.erase(0, slash);
  if (host.find('@') != std::string::npos) return refuse("holds credentials: write them as `user:` and `password:`");
  if (rest.find_first_of("?#") != std::string::npos) return refuse("holds ? or #, which no folder has");
  url.port = PortOfScheme(url.scheme);
  const std::size_t bracket = host.rfind(']');
  const std::size_t port = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (port != std::string::npos) {
    url.port = std::atoi(host.c_str() + port + 1);
    if (url.port < 1 || url.port > 65535) return refuse("has a port that is none");
    host.erase(port);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return refuse("names no host");
  url.host = std::move(host);
  url.path = PercentDecoded(rest);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (url.path.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos) return refuse("has a path with a line end");
  if ((url.path + "/").find("/../") != std::string::npos) return refuse("has a path with '..'");
  return url;
}

Result<std::unique_ptr<FilePlace>> OpenPlace(const Options& options, const std::string& project_folder,
                                             std::function<bool()> cancelled) {
  const std::string location = options.Text("location", ".");
  if (location.find("://") == std::string::npos) {
    TRY_ASSIGN(Folder folder, Folder::Open(PathIn(project_folder, location)));
    return std::unique_ptr<FilePlace>(std::make_unique<Folder>(std::move(folder)));
  }
  TRY_ASSIGN(auto place, OpenServer(location, options, project_folder, cancelled));
  return MakePatientPlace(std::move(place), std::move(cancelled));
}

}  // namespace caudal
