#include "base/ids.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace caudal {
namespace {

std::string Hex(const unsigned char* bytes, std::size_t n) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

template <std::size_t N>
std::array<unsigned char, N> RandomBytes() {
  std::array<unsigned char, N> bytes{};
  CHECK(getrandom(bytes.data(), N, 0) == static_cast<ssize_t>(N), "the kernel gave no random bytes");
  return bytes;
}

}  // namespace

std::string NewUuid() {
  auto bytes = RandomBytes<16>();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string hex = Hex(bytes.data(), bytes.size());
  for (std::size_t at : {8u, 13u, 18u, 23u}) hex.insert(at, 1, '-');
  return hex;
}

std::string NewToken() {
  auto bytes = RandomBytes<8>();
  return Hex(bytes.data(), bytes.size());
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.Hex();
}

Sha256::Sha256() : x_context(EVP_MD_CTX_new()) {
  CHECK(x_context && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(x_context), EVP_sha256(), nullptr) == 1,
        "OpenSSL has no SHA-256");
}
Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(x_context)); }

void Sha256::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(x_context), bytes.data(), bytes.size()) == 1, "SHA-256 update");
}

std::string Sha256::Hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int n = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(x_context), out.data(), &n) == 1, "SHA-256 final");
  return ::caudal::Hex(out.data(), n);
}

Md5::Md5() : x_context(EVP_MD_CTX_new()) {
  CHECK(x_context && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(x_context), EVP_md5(), nullptr) == 1,
        "OpenSSL has no MD5");
}
Md5::~Md5() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(x_context)); }

void Md5::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(x_context), bytes.data(), bytes.size()) == 1, "MD5 update");
}

std::string Md5::Hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int n = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(x_context), out.data(), &n) == 1, "MD5 final");
  return ::caudal::Hex(out.data(), n);
}

Result<std::string> Sha256OfFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  const auto failed = [&](ErrorKind kind) {
    return Error{kind, "cannot read " + path + ": " + std::strerror(errno), "look at the file, its rights and its disk", ""};
  };
  if (!file) return failed(errno == ENOENT ? ErrorKind::kNotFound : errno == EACCES ? ErrorKind::kPermission : ErrorKind::kUnavailable);
  Sha256 digest;
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0;) {
    digest.Update(std::string_view(buffer).substr(0, n));
  }
  if (std::ferror(file.get()) != 0) return failed(ErrorKind::kUnavailable);
  return digest.Hex();
}

}  // namespace caudal
