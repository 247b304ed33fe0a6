#include "project/alert_words.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace caudal {
namespace {

using Kind = AlertChannel::Kind;

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"webhook", Kind::kWebhook}, {"slack", Kind::kSlack}, {"teams", Kind::kTeams}, {"smtp", Kind::kSmtp}};
constexpr std::pair<std::string_view, AlertChannel::Tls> kTls[] = {
    {"starttls", AlertChannel::Tls::kStart}, {"tls", AlertChannel::Tls::kWhole}, {"none", AlertChannel::Tls::kNone}};

template <typename T, std::size_t N>
std::optional<T> Named(const std::string& text, const std::pair<std::string_view, T> (&values)[N]) {
  for (const auto& [name, value] : values) {
    if (name == text) return value;
  }
  return std::nullopt;
}

/// "NAME" of "${NAME}".
std::string SecretName(const std::string& text) {
  if (!text.starts_with("${") || !text.ends_with("}") || text.size() < 4) return "";
  const std::string name = text.substr(2, text.size() - 3);
  const bool good = !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return good ? name : "";
}

/// A value that may stand as ${NAME}, and where `always` must.
std::string PlainOrSecret(MapReader& reader, const char* word, bool always, const FileContext& file, AlertChannel& channel) {
  const YamlNode* node = reader.Take(word);
  if (node == nullptr) return "";
  const std::string text = TextOf(*node, word, file).value_or("");
  const std::string name = SecretName(text);
  if (!name.empty()) {
    channel.secrets[word] = name;
    return "";
  }
  if (always) {
    file.Add(*node, "'" + std::string(word) + "' is a secret and stands as plain text", "write ${NAME}, and the value into the environment or .caudal/secrets.env");
    return "";
  }
  return text;
}

void ReadSmtp(MapReader& reader, const YamlNode& node, const FileContext& file, AlertChannel& channel) {
  channel.host = reader.Text("host", "");
  channel.from = reader.Text("from", "");
  channel.to = reader.Texts("to");
  channel.user = PlainOrSecret(reader, "user", false, file, channel);
  static_cast<void>(PlainOrSecret(reader, "password", true, file, channel));
  if (const YamlNode* tls = reader.Take("tls")) {
    const std::string text = TextOf(*tls, "tls", file).value_or("");
    const auto value = Named(text, kTls);
    if (!value) file.Add(*tls, "'tls' cannot be '" + text + "'", DidYouMean(text, {"starttls", "tls", "none"}));
    channel.tls = value.value_or(channel.tls);
  }
  const bool whole = channel.tls == AlertChannel::Tls::kWhole;
  channel.port = static_cast<int>(reader.Integer("port", 1, 65535).value_or(whole ? 465 : 587));
  const bool login = !channel.user.empty() || channel.secrets.contains("user");
  if (login != channel.secrets.contains("password")) {
    file.Add(node, "a login needs 'user' and 'password'", "write both, or neither");
  } else if (login && channel.tls == AlertChannel::Tls::kNone) {
    file.Add(node, "a password would cross the network in the clear: 'tls' is none", "write tls: starttls, or leave user and password out");
  }
  const auto bad = [](const std::string& address) {
    return address.find('@') == std::string::npos || std::any_of(address.begin(), address.end(), [](char c) {
             return static_cast<unsigned char>(c) <= 0x20 || c == '<' || c == '>' || c == 0x7f;
           });
  };
  if (channel.host.empty()) file.Add(node, "an smtp channel needs 'host'", "write host: smtp.example.com");
  if (channel.from.empty() || bad(channel.from)) file.Add(node, "an smtp channel needs 'from', one mail address", "write from: caudal@example.com");
  if (channel.to.empty() || std::any_of(channel.to.begin(), channel.to.end(), bad)) {
    file.Add(node, "an smtp channel needs 'to', a list of mail addresses", "write to: [ops@example.com]");
  }
}

void ReadHttp(MapReader& reader, const YamlNode& node, const FileContext& file, AlertChannel& channel) {
  // The address of a Slack or Teams webhook is its password.
  channel.url = PlainOrSecret(reader, "url", channel.kind != Kind::kWebhook, file, channel);
  if (channel.kind == Kind::kWebhook) static_cast<void>(PlainOrSecret(reader, "secret", true, file, channel));
  const bool given = node.Find("url") != nullptr;
  if (!given) file.Add(node, "the channel needs 'url'", "write url: ${NAME}");
  if (!channel.url.empty() && !channel.url.starts_with("https://") && !channel.url.starts_with("http://")) {
    file.Add(*node.Find("url"), "'url' is no http URL", "begin it with https://");
  }
  if (channel.url.find('@') != std::string::npos && channel.url.find('@') < channel.url.find('/', 8)) {
    file.Add(*node.Find("url"), "'url' has credentials in it", "write the whole URL as ${NAME}");
  }
}

AlertChannel ReadChannel(const YamlMember& member, const FileContext& file, const std::string& folder) {
  AlertChannel channel;
  channel.name = member.key;
  channel.place = file.At(member);
  MapReader reader(member.value, "a channel", file);
  if (!member.value.is_map()) return channel;
  const std::string type = reader.Text("type", "");
  const auto kind = Named(type, kKinds);
  if (!kind) {
    const YamlNode* node = member.value.Find("type");
    file.Add(node != nullptr ? *node : member.value, type.empty() ? "a channel needs 'type'" : "no channel has the type '" + type + "'",
             DidYouMean(type, {"webhook", "slack", "teams", "smtp"}));
    return channel;
  }
  channel.kind = *kind;
  if (*kind == Kind::kSmtp) {
    ReadSmtp(reader, member.value, file, channel);
  } else {
    ReadHttp(reader, member.value, file, channel);
  }
  channel.ca_file = reader.Text("ca_file", "");
  if (!channel.ca_file.empty() && channel.ca_file[0] != '/') channel.ca_file = folder + "/" + channel.ca_file;
  if (auto pause = reader.Duration("pause")) channel.pause = *pause;
  reader.Finish();
  return channel;
}

/// "100", "2.5%".
void ReadRejectsAbove(MapReader& reader, const FileContext& file, AlertRule& rule) {
  const YamlNode* node = reader.Take("rejects_above");
  if (node == nullptr) return;
  std::string text = TextOf(*node, "rejects_above", file).value_or("");
  const std::string said = text;
  rule.rejects_percent = text.ends_with('%');
  if (rule.rejects_percent) text.pop_back();
  const bool good = rule.rejects_percent ? IsNumber(text) : IsInteger(text);
  rule.rejects_above = good ? std::atof(text.c_str()) : 0;
  if (good && rule.rejects_above >= 0 && !(rule.rejects_percent && rule.rejects_above > 100)) return;
  file.Add(*node, "'rejects_above' should be a number of rows or a percentage, not '" + said + "'", "write 100, or 1%");
}

AlertRule ReadRule(const YamlNode& node, const FileContext& file, const std::vector<AlertChannel>& channels) {
  AlertRule rule;
  rule.place = file.At(node);
  MapReader reader(node, "a rule", file);
  if (!node.is_map()) return rule;
  rule.on = reader.Texts("on");
  for (const std::string& word : rule.on) {
    const auto& words = AlertWords();
    if (std::find(words.begin(), words.end(), word) == words.end()) {
      file.Add(*node.Find("on"), "nothing is told of '" + word + "'", DidYouMean(word, words));
    }
  }
  rule.pipelines = reader.Texts("pipelines");
  rule.owners = reader.Texts("owners");
  rule.tags = reader.Texts("tags");
  rule.to = reader.Texts("to");
  std::vector<std::string> names;
  for (const AlertChannel& channel : channels) names.push_back(channel.name);
  for (const std::string& to : rule.to) {
    if (std::find(names.begin(), names.end(), to) != names.end()) continue;
    file.Add(*node.Find("to"), "no channel is called '" + to + "'", DidYouMean(to, names));
  }
  if (rule.to.empty()) file.Add(node, "a rule needs 'to', a list of channels", "write to: [" + (names.empty() ? "ops" : names.front()) + "]");
  if (auto repeat = reader.Duration("repeat")) rule.repeat = *repeat;
  ReadRejectsAbove(reader, file, rule);
  reader.Finish();
  return rule;
}

}  // namespace

const std::vector<std::string>& AlertWords() {
  static const std::vector<std::string> kWords = {"failed", "recovered", "late", "checks_failed", "checks_warned", "missed", "project",
                                                  "schema_drift", "rejects"};
  return kWords;
}

AlertConfig ParseAlerts(const YamlNode* node, const FileContext& file, const std::string& folder) {
  AlertConfig config;
  if (node == nullptr) return config;
  MapReader reader(*node, "'alerts'", file);
  if (!node->is_map()) return config;
  if (const YamlNode* channels = reader.Take("channels")) {
    if (!channels->is_map()) file.Add(*channels, "'channels' should be a map of names, not " + std::string(channels->KindName()), "write ops: {type: webhook, url: ${ALERT_URL}}");
    for (const YamlMember& member : channels->members) {
      if (!IsIdentifier(member.key)) {
        file.problems->Add(file.At(member), "the channel '" + member.key + "' is no name", "use small letters, digits and _, and begin with a letter");
      } else {
        config.channels.push_back(ReadChannel(member, file, folder));
      }
    }
  }
  const YamlNode* rules = reader.Take("rules");
  if (rules != nullptr && !rules->is_sequence()) file.Add(*rules, "'rules' should be a list, not " + std::string(rules->KindName()), "write - {on: failed, to: [ops]}");
  if (rules != nullptr) {
    for (const YamlNode& item : rules->items) config.rules.push_back(ReadRule(item, file, config.channels));
  } else if (!config.channels.empty()) {
    AlertRule all;
    for (const AlertChannel& channel : config.channels) all.to.push_back(channel.name);
    config.rules.push_back(std::move(all));
  }
  reader.Finish();
  return config;
}

void CheckAlerts(const Project& project, const std::vector<PipelineFile>& pipelines, ProblemList& problems) {
  std::vector<std::string> names;
  for (const PipelineFile& pipeline : pipelines) names.push_back(pipeline.config.name);
  for (const AlertRule& rule : project.alerts.rules) {
    for (const std::string& name : rule.pipelines) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      problems.Add(rule.place, "no pipeline is called '" + name + "'", DidYouMean(name, names));
    }
  }
}

void CheckPipelineOrder(const std::vector<PipelineFile>& pipelines, ProblemList& problems) {
  std::map<std::string, const PipelineConfig*> by_name;
  std::vector<std::string> names;
  for (const PipelineFile& pipeline : pipelines) {
    by_name[pipeline.config.name] = &pipeline.config;
    names.push_back(pipeline.config.name);
  }
  std::set<std::string> done, above;
  const std::function<bool(const PipelineConfig&)> waits_for_itself = [&](const PipelineConfig& config) {
    if (done.contains(config.name)) return false;
    if (!above.insert(config.name).second) return true;
    for (const std::string& name : config.after) {
      const auto found = by_name.find(name);
      if (found != by_name.end() && waits_for_itself(*found->second)) return true;
    }
    above.erase(config.name);
    done.insert(config.name);
    return false;
  };
  for (const PipelineFile& pipeline : pipelines) {
    const PipelineConfig& config = pipeline.config;
    for (std::size_t i = 0; i < config.after.size(); ++i) {
      if (!by_name.contains(config.after[i])) problems.Add(config.after_places[i], "no pipeline is called '" + config.after[i] + "'", DidYouMean(config.after[i], names));
    }
    above.clear();
    if (!config.after.empty() && waits_for_itself(config)) {
      problems.Add(config.after_places.front(), "the pipeline '" + config.name + "' would wait for itself", "take one of the `after` out");
    }
  }
}

}  // namespace caudal
