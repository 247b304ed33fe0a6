#include "store/aws_credentials.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "store/aws_key_source.h"

namespace caudal {
namespace {

// AWS hands out new keys at least five minutes before the old ones end.
constexpr std::chrono::minutes kRefreshBefore{5};

std::string Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

class FixedCredentials final : public AwsCredentials {
 public:
  explicit FixedCredentials(AwsKeys keys) : x_keys(std::move(keys)) {}
  Result<AwsKeys> Keys() override { return x_keys; }
  void Refused(const AwsKeys&) override {}

 private:
  const AwsKeys x_keys;
};

class CredentialChain final : public AwsCredentials {
 public:
  CredentialChain(Environment environment, std::string region, const Clock& clock)
      : x_source(std::move(environment), std::move(region)), x_clock(clock) {}

  Result<AwsKeys> Keys() override {
    std::lock_guard lock(x_mutex);  // others wait for the one that asks
    const Timestamp now = x_clock.Now();
    if (x_keys && (!x_keys->expires || now + kRefreshBefore < *x_keys->expires)) return *x_keys;
    auto fresh = x_source.Ask();
    if (!fresh) {
      if (x_keys && x_keys->expires && now < *x_keys->expires) return *x_keys;  // good for what is left of them
      return std::move(fresh).error();
    }
    x_keys = *std::move(fresh);
    return *x_keys;
  }

  void Refused(const AwsKeys& keys) override {
    std::lock_guard lock(x_mutex);
    if (x_keys && x_keys->id == keys.id && x_keys->session_token == keys.session_token) x_keys.reset();
  }

 private:
  const AwsKeySource x_source;
  const Clock& x_clock;
  std::mutex x_mutex;
  std::optional<AwsKeys> x_keys;  // guarded by x_mutex
};

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

std::map<std::string, std::map<std::string, std::string>> ParseAwsFile(std::string_view text) {
  std::map<std::string, std::map<std::string, std::string>> sections;
  std::map<std::string, std::string>* section = nullptr;
  std::istringstream in{std::string(text)};
  std::string above;  // the key that an indented line belongs to
  for (std::string line; std::getline(in, line);) {
    const bool indented = !line.empty() && (line[0] == ' ' || line[0] == '\t');
    line = Trimmed(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[' && line.back() == ']') {
      section = &sections[Trimmed(std::string_view(line).substr(1, line.size() - 2))];
      continue;
    }
    const std::size_t equals = line.find('=');
    if (section == nullptr || equals == std::string::npos) continue;
    const std::string key = Trimmed(std::string_view(line).substr(0, equals));
    const std::string value = Trimmed(std::string_view(line).substr(equals + 1));
    (*section)[indented && !above.empty() ? above + "." + key : key] = value;
    if (!indented) above = value.empty() ? key : "";
  }
  return sections;
}

std::optional<std::string> AwsSetting(const Environment& environment, const std::string& key) {
  const std::string home = environment("HOME").value_or("");
  std::ifstream in(environment("AWS_CONFIG_FILE").value_or(home + "/.aws/config"), std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  const auto sections = ParseAwsFile(text.str());
  const std::string profile = environment("AWS_PROFILE").value_or("default");
  for (const std::string& name : {"profile " + profile, profile}) {
    const auto section = sections.find(name);
    if (section == sections.end()) continue;
    const auto found = section->second.find(key);
    if (found != section->second.end() && !found->second.empty()) return found->second;
  }
  return std::nullopt;
}

std::unique_ptr<AwsCredentials> MakeFixedCredentials(AwsKeys keys) { return std::make_unique<FixedCredentials>(std::move(keys)); }

std::unique_ptr<AwsCredentials> MakeCredentialChain(Environment environment, std::string region, const Clock& clock) {
  return std::make_unique<CredentialChain>(std::move(environment), std::move(region), clock);
}

}  // namespace caudal
