// One SSH connection with its SFTP channel: host key checked, logged in. Only ssh_session.cc and sftp_place.cc know libssh2.
// Used by one thread. Every wait ends by the timeout or by `cancelled`.
#pragma once

#include <libssh2.h>
#include <libssh2_sftp.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/place_url.h"

namespace caudal {

class SshSession {
 public:
  /// Errors: kUnavailable (no connection), kTimeout, kPermission that says whether host key, user, key or password is refused,
  /// kInvalidArgument (the key file).
  static Result<std::unique_ptr<SshSession>> Open(const PlaceUrl& url, const PlaceAccess& access);
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  LIBSSH2_SFTP* sftp() const { return x_sftp; }

  /// Calls a function of libssh2 until it no longer asks to be called again; its number, or the error of the wait.
  template <typename F>
  Result<long> Call(F call) const {
    const auto limit = std::chrono::steady_clock::now() + x_access.timeout;
    for (;;) {
      const auto code = static_cast<long>(call());
      if (code != LIBSSH2_ERROR_EAGAIN) return code;
      TRY(Wait(limit));
    }
  }
  /// The same for those that give a pointer; null = failed.
  template <typename F>
  auto Make(F call) const -> Result<decltype(call())> {
    const auto limit = std::chrono::steady_clock::now() + x_access.timeout;
    for (;;) {
      auto* made = call();
      if (made != nullptr || libssh2_session_last_errno(x_session) != LIBSSH2_ERROR_EAGAIN) return made;
      TRY(Wait(limit));
    }
  }
  long last_error() const { return libssh2_session_last_errno(x_session); }
  /// A wait ended without an answer: nothing more can be asked.
  bool broken() const { return x_broken; }
  /// Why the last call failed. `what` is quoted: "read a.csv".
  Error Failed(const std::string& what, long code) const;

 private:
  SshSession(const PlaceUrl& url, const PlaceAccess& access) : x_url(url), x_access(access) {}
  Status Connect();
  Status Handshake();
  Status CheckHostKey() const;
  Status CheckKnownHosts(const char* key, std::size_t size, int type, const std::string& shown) const;
  Status LogIn();
  Status LogInByKey() const;
  Status LogInByPassword(std::string_view methods);
  Status Wait(std::chrono::steady_clock::time_point limit) const;

  const PlaceUrl x_url;
  const PlaceAccess x_access;
  int x_socket = -1;
  mutable bool x_broken = false;
  LIBSSH2_SESSION* x_session = nullptr;
  LIBSSH2_SFTP* x_sftp = nullptr;
};

}  // namespace caudal
