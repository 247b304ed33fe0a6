// What a load does where its source is not what it was: one word for each part. A value; words: docs/contracts.md.
#pragma once

#include <string_view>

namespace caudal {

enum class ContractMode {
  kEvolve,        // take it as it comes
  kFreeze,        // the load fails before anything is published
  kDiscardRow,    // the row goes to the rejects
  kDiscardValue,  // the row stays without the value, which is counted
};

struct SchemaContract {
  ContractMode tables = ContractMode::kEvolve;       // the first load of a stream; evolve or freeze
  ContractMode columns = ContractMode::kEvolve;      // columns that the table does not have, or the source no more
  ContractMode data_type = ContractMode::kDiscardRow;  // values that do not fit their column's type
  bool operator==(const SchemaContract&) const = default;
};

/// "evolve", "freeze", "discard_row", "discard_value".
std::string_view ContractModeName(ContractMode mode);

}  // namespace caudal
