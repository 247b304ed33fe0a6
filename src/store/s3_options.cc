#include <algorithm>

#include "store/object_key.h"
#include "store/s3.h"
#include "store/s3_sign.h"

namespace caudal {
namespace {

bool BucketLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool IsBucketName(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::all_of(name.begin(), name.end(), BucketLetter) && name.front() != '-' &&
         name.front() != '.' && name.back() != '-' && name.back() != '.' && name.find("..") == std::string_view::npos;
}

}  // namespace

Result<S3Place> ParseS3Url(std::string_view url) {
  constexpr std::string_view kScheme = "s3://";
  const auto refuse = [&](const std::string& why) {
    const std::size_t at = url.rfind('@');
    const std::string shown = at == std::string_view::npos ? std::string(url) : "s3://***" + std::string(url.substr(at));
    return Error{ErrorKind::kInvalidArgument, "'" + shown + "' is no place on S3: " + why, "write s3://bucket/prefix", ""};
  };
  if (!url.starts_with(kScheme)) return refuse("it does not begin with s3://");
  std::string_view rest = url.substr(kScheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t slash = rest.find('/');
  S3Place place{std::string(rest.substr(0, slash)), slash == std::string_view::npos ? "" : std::string(rest.substr(slash + 1))};
  if (!IsBucketName(place.bucket)) return refuse("a bucket's name has 3 to 63 small letters, digits, dots and hyphens");
  if (!place.prefix.empty() && !CheckKey(place.prefix)) return refuse("the prefix has an empty part, . or ..");
  if (place.prefix.find_first_of("?#") != std::string::npos) return refuse("a prefix with ? or # is not taken");
  return place;
}

Result<S3Options> S3OptionsOf(std::string_view url, const Environment& environment, const Clock& clock) {
  TRY_ASSIGN(S3Place place, ParseS3Url(url));
  S3Options options;
  options.bucket = std::move(place.bucket);
  options.prefix = std::move(place.prefix);
  const auto first = [&](std::initializer_list<const char*> names, const char* setting) -> std::string {
    for (const char* name : names) {
      if (auto value = environment(name)) return *value;
    }
    return *setting != '\0' ? AwsSetting(environment, setting).value_or("") : "";
  };
  options.endpoint = first({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, "endpoint_url");
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  if (!options.endpoint.empty() && !options.endpoint.starts_with("http://") && !options.endpoint.starts_with("https://")) {
    return Error{ErrorKind::kInvalidArgument, "the object store's address is no URL: " + options.endpoint,
                 "write AWS_ENDPOINT_URL=https://host[:port]", ""};
  }
  if (options.endpoint.find('@') != std::string::npos || options.endpoint.find_first_of("?#") != std::string::npos ||
      options.endpoint.find('/', options.endpoint.find("://") + 3) != std::string::npos) {
    if (!options.endpoint.empty()) {
      return Error{ErrorKind::kInvalidArgument, "the object store's address holds more than a scheme, a host and a port",
                   "write AWS_ENDPOINT_URL=https://host[:port]; keys go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", ""};
    }
  }
  options.region = first({"AWS_REGION", "AWS_DEFAULT_REGION"}, "region");
  if (options.region.empty()) options.region = "us-east-1";
  const std::string style = first({"AWS_S3_ADDRESSING_STYLE"}, "s3.addressing_style");
  if (!style.empty() && style != "path" && style != "virtual" && style != "auto") {
    return Error{ErrorKind::kInvalidArgument, "the addressing style '" + style + "' is none", "write path, virtual or auto", ""};
  }
  // A certificate for *.s3.amazonaws.com does not cover a bucket with dots; servers of one's own seldom have a name a bucket.
  const bool automatic = !options.endpoint.empty() || options.bucket.find('.') != std::string::npos;
  options.path_style = style == "path" || (style != "virtual" && automatic);
  options.ca_file = environment("AWS_CA_BUNDLE").value_or("");
  options.credentials = MakeCredentialChain(environment, options.region, clock);
  return options;
}

}  // namespace caudal
