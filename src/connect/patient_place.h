// A place on a server that is asked again where the connection broke. Used by one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "connect/place.h"

namespace caudal {

/// Waits before the next try, longer each time; `broken` counts from 0. False: it was tried often enough, or cancelled.
bool PauseBeforeTry(std::size_t broken, const std::function<bool()>& cancelled);

/// List, Stat and Head are tried again where their error is retryable; Read and the editor are the place's own: whoever reads
/// knows how far it came.
std::unique_ptr<FilePlace> MakePatientPlace(std::unique_ptr<FilePlace> place, std::function<bool()> cancelled);

}  // namespace caudal
