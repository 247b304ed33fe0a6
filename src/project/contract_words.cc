#include "project/contract_words.h"

#include <utility>

namespace caudal {
namespace {

constexpr std::pair<std::string_view, ContractMode> kModes[] = {{"evolve", ContractMode::kEvolve},
                                                                {"freeze", ContractMode::kFreeze},
                                                                {"discard_row", ContractMode::kDiscardRow},
                                                                {"discard_value", ContractMode::kDiscardValue}};

std::optional<ContractMode> ModeOf(const YamlNode& node, const std::string& word, const FileContext& file) {
  const std::optional<std::string> text = TextOf(node, word, file);
  if (!text) return std::nullopt;
  for (const auto& [name, mode] : kModes) {
    if (name == *text) return mode;
  }
  file.Add(node, "'" + word + "' cannot be '" + *text + "'", DidYouMean(*text, {"evolve", "freeze", "discard_row", "discard_value"}));
  return std::nullopt;
}

bool Discards(ContractMode mode) { return mode == ContractMode::kDiscardRow || mode == ContractMode::kDiscardValue; }

}  // namespace

std::string_view ContractModeName(ContractMode mode) {
  for (const auto& [name, value] : kModes) {
    if (value == mode) return name;
  }
  return "";
}

SchemaContract ContractOf(MapReader& reader, const SchemaContract& base, const FileContext& file) {
  const YamlNode* node = reader.Take("schema_contract");
  SchemaContract contract = base;
  if (node == nullptr) return contract;
  if (node->is_scalar()) {
    const auto mode = ModeOf(*node, "schema_contract", file);
    if (!mode) return contract;
    contract = {Discards(*mode) ? ContractMode::kEvolve : *mode, *mode, *mode};
    return contract;
  }
  if (!node->is_map()) {
    file.Add(*node, "'schema_contract' should be a word or a map, not " + std::string(node->KindName()),
             "write freeze, or {columns: freeze, data_type: discard_row}");
    return contract;
  }
  MapReader words(*node, "'schema_contract'", file);
  const auto take = [&](const char* word, ContractMode& mode) {
    if (const YamlNode* value = words.Take(word)) mode = ModeOf(*value, word, file).value_or(mode);
  };
  take("tables", contract.tables);
  take("columns", contract.columns);
  take("data_type", contract.data_type);
  words.Finish();
  if (Discards(contract.tables)) {
    file.Add(*node->Find("tables"), "'tables' cannot be '" + std::string(ContractModeName(contract.tables)) +
                                        "': each stream is named in its file, so there is no table to leave out",
             "write evolve, or freeze; leave the stream out where its table is not wanted");
    contract.tables = base.tables;
  }
  return contract;
}

}  // namespace caudal
