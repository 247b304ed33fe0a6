// A run that somebody asked the daemon for, and that has not begun yet. A value.
#pragma once

#include <string>
#include <vector>

#include "flow/runner.h"

namespace caudal {

struct AskedRun {
  std::string run;  // its id, from now on
  RunRequest request;
  bool retry = false;               // goes on with a run that there is
  std::vector<std::string> select;  // of a retry
  std::string by;
  Timestamp asked;
  std::string why;  // it has not begun yet, in words
};

}  // namespace caudal
