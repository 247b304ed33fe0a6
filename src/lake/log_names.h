// The names that our log entries use, in one place for those who write and those who read them.
#pragma once

#include <array>
#include <string_view>

namespace caudal {

/// Features of the protocol action. The last one is unknown to everybody else, so that no foreign writer touches the
/// table, while every reader may (features of writers do not concern readers).
inline constexpr std::array<std::string_view, 4> kWriterFeatures{"appendOnly", "invariants", "domainMetadata",
                                                                 "caudal.multiFormat"};
inline constexpr std::string_view kDomainPrefix = "caudal.";
/// The domain that counts the versions of the rejects table; nobody else may set it.
inline constexpr std::string_view kRejectsDomain = "rejects";
/// What retention.h decides: up to where a table was purged, and the prefix of its savepoints.
inline constexpr std::string_view kPurgeDomain = "purge";
inline constexpr std::string_view kSavepointDomain = "savepoint.";

}  // namespace caudal
