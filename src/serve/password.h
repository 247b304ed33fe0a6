// Passwords and random secrets, by libsodium: only password.cc knows it. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// Argon2id with 19 MiB and two passes (OWASP's first choice), as text with its salt. Errors: kUnavailable without memory.
Result<std::string> HashPassword(const std::string& password);
/// `hash` "" takes as long as any other and is never right. One at a time: a daemon does not spend its memory on guesses.
bool PasswordIs(const std::string& password, const std::string& hash);

/// 256 random bits as 43 characters of base64url.
std::string NewSecret();
/// Takes equally long wherever two texts of one length differ.
bool SameSecret(std::string_view a, std::string_view b);

}  // namespace caudal
