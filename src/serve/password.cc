#include "serve/password.h"

#include <sodium.h>

#include <array>
#include <mutex>

#include "base/check.h"

namespace caudal {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = std::size_t{19} << 20;

void Prepare() {
  static const int ready = sodium_init();
  CHECK(ready >= 0, "libsodium does not start");
}

std::mutex& OneAtATime() {
  static std::mutex mutex;
  return mutex;
}

/// Of a password that nobody has.
const std::string& SomeHash() {
  static const std::string hash = [] {
    auto made = HashPassword(NewSecret());
    return made ? *made : std::string();
  }();
  return hash;
}

}  // namespace

Result<std::string> HashPassword(const std::string& password) {
  Prepare();
  const std::lock_guard lock(OneAtATime());
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error{ErrorKind::kUnavailable, "there is no memory to hash a password", "try again", ""};
  }
  return std::string(hash.data());
}

bool PasswordIs(const std::string& password, const std::string& hash) {
  Prepare();
  const std::string& against = hash.empty() ? SomeHash() : hash;
  const std::lock_guard lock(OneAtATime());
  const bool same = crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
  return same && !hash.empty();
}

std::string NewSecret() {
  Prepare();
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::array<char, sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING)> text{};
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return std::string(text.data());
}

bool SameSecret(std::string_view a, std::string_view b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace caudal
