#include "connect/server_spec.h"

#include <utility>

#include "connect/options.h"

namespace caudal {

ConnectorSpec ServerSpec(const ServerWords& words) {
  ConnectorSpec spec;
  spec.name = words.name;
  spec.summary = "Tables, views and queries of a " + words.product + " server";
  spec.shape = SourceShape::kRelation;
  spec.network = true;
  spec.port_option = "port";
  spec.discovers = true;
  spec.table_option = "table";
  spec.schema_option = words.schema_option;
  spec.checks_streams = true;
  spec.incremental = true;
  spec.may_repeat = true;
  spec.delivery = words.delivery;
  const auto add = [&](OptionSpec option, bool required) -> OptionSpec& {
    option.required = required;
    option.form = option.type == OptionType::kString ? OptionForm::kLine : OptionForm::kAny;
    return spec.options.emplace_back(std::move(option));
  };
  add(MakeOption("host", OptionType::kString, "", "Name or address of the server"), true);
  OptionSpec& port = add(MakeOption("port", OptionType::kInteger, words.port.c_str(), "Its TCP port, the only one that the worker may reach"), false);
  port.least = 1;
  port.most = 65535;
  add(MakeOption("database", OptionType::kString, "", "The database"), true);
  add(MakeOption("user", OptionType::kString, "", "Who logs in; reading is all it needs"), true);
  add(MakeOption("password", OptionType::kString, "", "Its password"), false).secret = true;
  OptionSpec& sslmode = add(MakeOption("sslmode", OptionType::kString, "prefer", ""), false);
  std::string verifying;
  for (const std::string& mode : words.sslmodes) {
    sslmode.choices.push_back(mode);
    if (!mode.starts_with("verify")) continue;
    sslmode.needs[mode] = {"sslrootcert"};
    verifying += (verifying.empty() ? "`" : " and `") + mode + "`";
  }
  sslmode.description = "TLS: `prefer` takes it where the server has it; with " + verifying + " the server's certificate is checked, by `sslrootcert`";
  add(MakeOption("sslrootcert", OptionType::kPath, "", "Certificates of the authorities that may sign the server's"), false);
  add(MakeOption("statement_timeout", OptionType::kDuration, "1h", "The server stops a statement that takes longer"), false).least = 1;
  spec.stream_options = {
      MakeOption("table", OptionType::kString, "", "Table or view; the stream's name, if neither this nor `query` is given"),
      MakeOption(words.schema_option.c_str(), OptionType::kString, "", words.schema_described.c_str()),
      MakeOption("query", OptionType::kString, "", ""),
      MakeOption("select", OptionType::kStringList, "", "Only these columns of the table")};
  spec.stream_options[2].description = "A SELECT in " + words.product + "'s own words instead of a table, without a semicolon";
  spec.stream_options[2].excludes = {"table", words.schema_option, "select"};
  return spec;
}

}  // namespace caudal
