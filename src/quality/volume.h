// Did a load bring as many rows as it should? Pure. Words: docs/project.md, `volume`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "project/project.h"
#include "quality/audit.h"

namespace caudal {

/// What came, and what came before.
struct VolumeFacts {
  struct Part {
    std::string origin;  // "" = the load as a whole
    std::int64_t rows = 0;
  };
  std::vector<Part> parts;          // the load, or each of its files
  std::vector<std::int64_t> usual;  // rows of the last ones, in any order
};

/// The verdict, with the part that is farthest out. Fewer than three before it are nothing to compare with.
CheckResult JudgeVolume(const Volume& volume, const VolumeFacts& facts);

/// 0 of none.
std::int64_t MedianOf(std::vector<std::int64_t> numbers);

}  // namespace caudal
