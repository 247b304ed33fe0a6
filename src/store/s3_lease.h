// A lock on S3: an object that whoever holds it writes again and again, and that is free once nobody did for a while. It
// saves work; it cannot keep out a holder that slept through its end. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store/s3_client.h"

namespace caudal {

/// Waits up to `wait`. The guard releases the lease when it dies, and renews it until then. `client` outlives the guard.
/// Ages are the server's own (Date minus Last-Modified), so no two clocks are compared.
/// Errors: kConflict naming the holder; those of the store.
Result<std::shared_ptr<void>> AcquireLease(S3Client& client, const std::string& key, std::chrono::milliseconds wait);

}  // namespace caudal
