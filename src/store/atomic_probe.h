// Is this store's PutIfAbsent what a commit stands on: of many callers exactly one wins? Not every server that calls itself
// S3 keeps that promise, so it is tried in earnest before the first commit.
#pragma once

#include <string>

#include "store/object_store.h"
#include "store/s3.h"

namespace caudal {

struct RaceResult {
  int writers = 0;
  int rounds = 0;
  int bad_rounds = 0;    // with other than one winner, or with other bytes than the winner's
  int most_winners = 0;
};

/// Objects below this prefix belong to the probe.
inline constexpr const char* kProbePrefix = "_caudal/";

/// `writers` threads want to create one object, `rounds` times, below "_caudal/probe/". Leaves nothing there.
/// Errors: those of the store, as soon as one call gives neither a winner nor kAlreadyExists.
Result<RaceResult> RaceForCreation(S3Store& store, int writers, int rounds);

/// Races, and notes the verdict in the lake (`_caudal/store.json`). Errors: kUnsupported in words where the store is not atomic.
Result<RaceResult> ProveAtomic(S3Store& store);

/// The noted verdict if there is one of this endpoint, else a race. Keys that may not write pass: they cannot commit.
Status RequireAtomic(S3Store& store);

}  // namespace caudal
