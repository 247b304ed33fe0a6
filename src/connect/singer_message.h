// The lines that a Singer tap prints: https://hub.meltano.com/singer/spec. Values and pure functions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/staged_batches.h"

namespace caudal {

enum class SingerKind { kSchema, kRecord, kState, kActivateVersion };

struct SingerMessage {
  SingerKind kind = SingerKind::kRecord;
  std::string stream;  // not of a state
  std::string state;   // JSON
};

/// Errors: kCorruption for what is no message, kUnsupported for BATCH.
Result<SingerMessage> ReadSingerMessage(std::string_view line);

/// Records of one stream from the lines of a tap. `_source_row` is a record's ordinal.
std::unique_ptr<Splitter> MakeSingerSplitter(SplitTarget target, std::string stream);

}  // namespace caudal
