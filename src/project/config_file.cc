#include "project/config_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "project/alert_words.h"
#include "project/contract_words.h"
#include "project/retention_words.h"

namespace caudal {
namespace {

using std::chrono::minutes;

Type Plain(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

// As a reader would take it: quotes make text.
Type TypeOfValue(const YamlNode& node) {
  if (node.quoted) return Plain(TypeKind::kVarchar);
  if (IsInteger(node.text)) return Plain(TypeKind::kBigint);
  if (IsNumber(node.text)) return Plain(TypeKind::kDouble);
  if (node.text == "true" || node.text == "false") return Plain(TypeKind::kBoolean);
  bool date_like = node.text.size() >= 10 && node.text[4] == '-' && node.text[7] == '-';
  if (date_like && ParseTimestamp(node.text)) {
    return Plain(node.text.size() == 10 ? TypeKind::kDate : TypeKind::kTimestamptz);
  }
  return Plain(TypeKind::kVarchar);
}

bool FitsType(const std::string& text, const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return ParseBoolean(text).has_value();
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint: return IsInteger(text);
    case TypeKind::kDecimal: return IsNumber(text);
    case TypeKind::kDate:
    case TypeKind::kTimestamptz: return ParseTimestamp(text).has_value();
    default: return true;
  }
}

// What lies where the tables should: a folder, or nothing yet.
void LookAtLake(const std::string& path, const YamlNode& node, const FileContext& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return;
  if (fs::exists(status)) {
    return file.Add(node, "the lake should be a folder, and there is a file: " + path, "move the file away, or write another folder as lake:");
  }
  std::error_code ignored;
  if (!fs::is_symlink(fs::symlink_status(path, ignored))) return;
  file.Add(node, "the lake is a link that leads nowhere: " + path + " -> " + fs::read_symlink(path, ignored).string(),
           "create the folder behind it, or take the link away");
}

// The store knows all rules of buckets; these are the mistakes that one makes in typing.
std::string WrongWithS3Url(const std::string& url) {
  std::string_view rest = std::string_view(url).substr(std::string_view("s3://").size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::string_view bucket = rest.substr(0, rest.find('/'));
  const bool letters = std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (bucket.size() < 3 || bucket.size() > 63 || !letters) return "a bucket's name has 3 to 63 small letters, digits, dots and hyphens";
  if (rest.find_first_of("?#@") != std::string_view::npos) return "keys and options do not stand in it (docs/s3.md)";
  if (rest.find("//") != std::string_view::npos || rest.find("/../") != std::string_view::npos || rest.ends_with("/..")) return "its prefix has an empty part or ..";
  return "";
}

// Where the tables lie: "" after a problem.
std::string LakeUrl(const YamlNode* node, const FileContext& file, const std::string& folder) {
  if (node == nullptr) return "file://" + folder + "/lake";
  std::optional<std::string> text = TextOf(*node, "lake", file);
  if (!text) return "";
  const std::string next = "write a folder below the project, such as lake, or file:///absolute/path, or s3://bucket/prefix";
  if (text->rfind("file://", 0) == 0) {
    if (text->size() > 8 && (*text)[7] == '/') return *text;
    file.Add(*node, "'lake' is no absolute file URL: '" + *text + "'", next);
  } else if (text->rfind("s3://", 0) == 0) {
    const std::string why = WrongWithS3Url(*text);
    if (why.empty()) return text->ends_with('/') ? text->substr(0, text->size() - 1) : *text;
    const std::string shown = text->find('@') == std::string::npos ? *text : "s3://***" + text->substr(text->rfind('@'));
    file.Add(*node, "'lake' is no place on S3: '" + shown + "': " + why, "write s3://bucket/prefix");
  } else if (text->find("://") != std::string::npos) {
    file.Add(*node, "'lake' names a store that does not exist: '" + *text + "'", next);
  } else if (text->empty() || (*text)[0] == '/' || (*text)[0] == '~' || *text == "." || *text == ".." ||
             text->rfind("../", 0) == 0 || text->find("/../") != std::string::npos) {
    file.Add(*node, "'lake' is no folder below the project: '" + *text + "'", next);
  } else {
    return "file://" + folder + "/" + (text->rfind("./", 0) == 0 ? text->substr(2) : *text);
  }
  return "";
}

void ParseDefaults(const YamlNode* node, const FileContext& file, Project& project) {
  project.retries = {minutes{5}, minutes{15}, minutes{60}};
  if (node == nullptr) return;
  MapReader reader(*node, "'defaults'", file);
  project.owner = reader.Text("owner", "");
  if (auto retries = reader.Durations("retries")) project.retries = *retries;
  project.contract = ContractOf(reader, SchemaContract{}, file);
  reader.Finish();
}

void ParseLimits(const YamlNode* node, const FileContext& file, Project& project) {
  if (node == nullptr) return;
  MapReader reader(*node, "'limits'", file);
  if (auto slots = reader.Integer("slots", 1, 256)) project.slots = static_cast<int>(*slots);
  if (auto runs = reader.Integer("runs", 1, 256)) project.runs = static_cast<int>(*runs);
  project.task_timeout = reader.Timeout();
  constexpr std::int64_t kLeastMemory = 128'000'000;
  if (auto memory = reader.Size("memory")) {
    project.worker_memory_bytes = *memory;
    if (*memory < kLeastMemory) {
      file.Add(*node->Find("memory"), "'memory' is too little for a worker: " + std::to_string(*memory) + " bytes",
               "give at least 128MB");
    }
  }
  if (auto spill = reader.Size("spill")) project.worker_spill_bytes = *spill;
  reader.Finish();
}

/// A list for all tables, or a map of folders of the lake and `default`.
void ParseFormats(const YamlNode* node, const FileContext& file, Project& project) {
  if (node == nullptr) return;
  if (!node->is_map()) {
    project.formats = FormatsOf(*node, file);
    return;
  }
  for (const YamlMember& member : node->members) {
    TableFormats formats = FormatsOf(member.value, file);
    if (member.key == "default") {
      project.formats = formats;
    } else {
      project.schema_formats[member.key] = SchemaFormats{formats, file.At(member)};
    }
  }
}

void ParseParameters(const YamlNode* node, const FileContext& file, Project& project) {
  if (node == nullptr) return;
  if (!node->is_map()) {
    file.Add(*node, "'parameters' should be a map of names and values, not " + std::string(node->KindName()),
             "write {region: north}");
    return;
  }
  for (const YamlMember& member : node->members) {
    if (!IsIdentifier(member.key)) {
      file.problems->Add(file.At(member), "the parameter '" + member.key + "' is no name",
                         "use small letters, digits and _, and begin with a letter");
    } else if (member.key == "start" || member.key == "end") {
      file.problems->Add(file.At(member), "the parameter '" + member.key + "' is given by the interval of a run",
                         "choose another name");
    } else if (std::optional<Parameter> parameter = ParseParameter(member.value, file)) {
      project.parameters[member.key] = *std::move(parameter);
    }
  }
}

}  // namespace

std::optional<Parameter> ParseParameter(const YamlNode& node, const FileContext& file) {
  if (node.is_scalar()) return Parameter{TypeOfValue(node), node.text};
  if (node.is_null()) return Parameter{Plain(TypeKind::kVarchar), std::nullopt};
  MapReader reader(node, "a parameter", file);
  const YamlNode* type_node = reader.Take("type");
  const YamlNode* value = reader.Take("value");
  reader.Finish();
  if (!node.is_map()) return std::nullopt;
  Parameter parameter;
  if (value != nullptr) {
    std::optional<std::string> text = TextOf(*value, "value", file);
    if (!text) return std::nullopt;
    parameter.type = TypeOfValue(*value);
    parameter.value = *text;
  }
  if (type_node == nullptr) return parameter;
  std::optional<std::string> text = TextOf(*type_node, "type", file);
  if (!text) return std::nullopt;
  Result<Type> type = ParseType(*text);
  if (!type) {
    file.Add(*type_node, type.error().message, type.error().next);
    return std::nullopt;
  }
  parameter.type = *type;
  if (parameter.value && !FitsType(*parameter.value, parameter.type)) {
    file.Add(*value, "'" + *parameter.value + "' is no " + parameter.type.ToSql(), "change the value, or the parameter's type");
    return std::nullopt;
  }
  return parameter;
}

void ParseConfigFile(const YamlNode& root, const FileContext& file, Project& project) {
  MapReader reader(root, "caudal.yaml", file);
  if (!root.is_map() && !root.is_null()) return;
  project.name = reader.Text("name", "");
  const YamlNode* name = root.Find("name");
  if (project.name.empty()) {
    file.Add(name != nullptr ? *name : root, "the project has no name", "write name: shop");
  } else if (!IsIdentifier(project.name)) {
    file.Add(*name, "the project's name '" + project.name + "' is no name",
             "use small letters, digits and _, and begin with a letter");
  }
  reader.Text("description", "");
  const YamlNode* lake = reader.Take("lake");
  project.lake_url = LakeUrl(lake, file, project.folder);
  constexpr std::size_t kScheme = std::string_view("file://").size();
  if (project.lake_url.starts_with("file://")) LookAtLake(project.lake_url.substr(kScheme), lake != nullptr ? *lake : root, file);
  ParseDefaults(reader.Take("defaults"), file, project);
  ParseParameters(reader.Take("parameters"), file, project);
  ParseLimits(reader.Take("limits"), file, project);
  ParseFormats(reader.Take("formats"), file, project);
  project.retention = RetentionOf(reader, file).value_or(Retention{});
  project.alerts = ParseAlerts(reader.Take("alerts"), file, project.folder);
  reader.Later({"channels", "notifications"}, "write `alerts:`");
  reader.Later({"environments", "state", "replica"}, "take it out");
  reader.Finish();
}

}  // namespace caudal
