// Whether one value of a connector's option is as its spec says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/connector_spec.h"

namespace caudal {

/// Goes on behind the option's name: "should be at least 1, not '0'".
struct OptionMistake {
  std::string message;
  std::string next;
};

/// Of a value that is one text: its type, its limits and its form. Choices, lists and maps are the caller's.
std::optional<OptionMistake> MistakeOf(const OptionSpec& spec, const std::string& text);
/// Its form alone.
std::optional<OptionMistake> FormMistakeOf(const OptionSpec& spec, const std::string& text);

std::optional<std::int64_t> ParseInteger(std::string_view text);

}  // namespace caudal
