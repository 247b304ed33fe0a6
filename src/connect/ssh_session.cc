#include "connect/ssh_session.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/hmac.h"
#include "base/ids.h"

namespace caudal {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
struct FreeKnownHosts {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const { libssh2_knownhost_free(hosts); }
};

/// As ssh-keygen -l shows it.
std::string Fingerprint(std::string_view key) {
  std::string text = ToBase64(BytesOfHex(Sha256Hex(key)));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

const char* NameOfKeyType(int type) {
  switch (type) {
    case LIBSSH2_HOSTKEY_TYPE_RSA: return "RSA";
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_256:
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_384:
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_521: return "ECDSA";
    case LIBSSH2_HOSTKEY_TYPE_ED25519: return "ED25519";
    default: return "unknown";
  }
}

int KnownHostType(int type) {
  switch (type) {
    case LIBSSH2_HOSTKEY_TYPE_RSA: return LIBSSH2_KNOWNHOST_KEY_SSHRSA;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_256: return LIBSSH2_KNOWNHOST_KEY_ECDSA_256;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_384: return LIBSSH2_KNOWNHOST_KEY_ECDSA_384;
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_521: return LIBSSH2_KNOWNHOST_KEY_ECDSA_521;
    case LIBSSH2_HOSTKEY_TYPE_ED25519: return LIBSSH2_KNOWNHOST_KEY_ED25519;
    default: return LIBSSH2_KNOWNHOST_KEY_UNKNOWN;
  }
}

/// Answers every question of a keyboard-interactive login with the password.
void OnQuestions(const char*, int, const char*, int, int count, const LIBSSH2_USERAUTH_KBDINT_PROMPT*,
                 LIBSSH2_USERAUTH_KBDINT_RESPONSE* answers, void** abstract) {
  const auto* password = static_cast<const std::string*>(*abstract);
  for (int i = 0; i < count; ++i) {
    answers[i].text = ::strdup(password->c_str());  // libssh2 frees it
    answers[i].length = static_cast<unsigned int>(password->size());
  }
}

}  // namespace

Result<std::unique_ptr<SshSession>> SshSession::Open(const PlaceUrl& url, const PlaceAccess& access) {
  static const int started = libssh2_init(0);
  if (started != 0) return Error{ErrorKind::kInternal, "libssh2 does not start", "", ""};
  std::unique_ptr<SshSession> session(new SshSession(url, access));
  TRY(session->Connect());
  TRY(session->Handshake());
  TRY(session->CheckHostKey());
  TRY(session->LogIn());
  TRY_ASSIGN(session->x_sftp, session->Make([&] { return libssh2_sftp_init(session->x_session); }));
  if (session->x_sftp == nullptr) return session->Failed("open the SFTP channel", session->last_error());
  return Result<std::unique_ptr<SshSession>>(std::move(session));
}

SshSession::~SshSession() {
  // The peer may be gone: nothing below may wait for it.
  if (x_socket >= 0) ::shutdown(x_socket, SHUT_RDWR);
  if (x_session != nullptr) {
    libssh2_session_set_blocking(x_session, 1);
    libssh2_session_set_timeout(x_session, 1000);
    if (x_sftp != nullptr) libssh2_sftp_shutdown(x_sftp);
    libssh2_session_free(x_session);
  }
  if (x_socket >= 0) ::close(x_socket);
}

Status SshSession::Wait(SteadyClock::time_point limit) const {
  for (;;) {
    if (x_access.cancelled && x_access.cancelled()) {
      x_broken = true;
      return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
    }
    if (SteadyClock::now() >= limit) {
      x_broken = true;
      return Error{ErrorKind::kTimeout, "the server does not answer: " + x_url.Server(), "see whether it is well, or raise `timeout`", ""};
    }
    short wanted = 0;
    const int directions = x_session == nullptr ? LIBSSH2_SESSION_BLOCK_OUTBOUND : libssh2_session_block_directions(x_session);
    if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) wanted = POLLOUT;
    if (wanted == 0 || (directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0) wanted = static_cast<short>(wanted | POLLIN);
    pollfd one{x_socket, wanted, 0};
    if (::poll(&one, 1, 100) != 0) return {};
  }
}

Status SshSession::Connect() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(x_url.port);
  if (const int code = ::getaddrinfo(x_url.host.c_str(), port.c_str(), &hints, &list); code != 0) {
    return Error{ErrorKind::kUnavailable, fmt::format("the host of {} has no address: {}", x_url.Server(), ::gai_strerror(code)),
                 "correct the host in `location:`, or mend name resolution", ""};
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
  int why = ECONNREFUSED;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    x_socket = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, one->ai_protocol);
    if (x_socket < 0) continue;
    why = 0;
    if (::connect(x_socket, one->ai_addr, one->ai_addrlen) != 0) why = errno;
    if (why == EINPROGRESS) {
      TRY(Wait(SteadyClock::now() + x_access.connect_timeout));
      socklen_t size = sizeof why;
      ::getsockopt(x_socket, SOL_SOCKET, SO_ERROR, &why, &size);
    }
    if (why == 0) {
      const int on = 1;
      ::setsockopt(x_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return {};
    }
    ::close(x_socket);
    x_socket = -1;
  }
  return Error{ErrorKind::kUnavailable, fmt::format("cannot connect to {}: {}", x_url.Server(), std::strerror(why)),
               "see whether the server runs and whether host and port in `location:` are right", ""};
}

Status SshSession::Handshake() {
  x_session = libssh2_session_init_ex(nullptr, nullptr, nullptr, nullptr);
  if (x_session == nullptr) return Error{ErrorKind::kInternal, "libssh2 gives no session", "", ""};
  libssh2_session_set_blocking(x_session, 0);
  libssh2_session_method_pref(x_session, LIBSSH2_METHOD_HOSTKEY,
                              "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa");
  TRY_ASSIGN(const long code, Call([&] { return libssh2_session_handshake(x_session, x_socket); }));
  return code == 0 ? Status() : Status(Failed("begin an SSH session", code));
}

Status SshSession::CheckHostKey() const {
  std::size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(x_session, &size, &type);
  if (key == nullptr) return Failed("learn the host key", last_error());
  const std::string shown = Fingerprint(std::string_view(key, size));
  if (!x_access.host_keys.empty()) {
    for (const std::string& stated : x_access.host_keys) {
      std::string wanted = stated;
      while (wanted.ends_with('=')) wanted.pop_back();
      if (wanted == shown || "SHA256:" + wanted == shown) return {};
    }
    return Error{ErrorKind::kPermission,
                 fmt::format("the host key of {} is not the one that the source states: the server shows {} {}", x_url.Server(),
                             NameOfKeyType(type), shown),
                 fmt::format("ask who runs the server whether the key was changed; only then write host_key: \"{}\"", shown), ""};
  }
  if (!x_access.known_hosts.empty()) return CheckKnownHosts(key, size, type, shown);
  return Error{ErrorKind::kPermission,
               fmt::format("the host key of {} is unknown: the server shows {} {}", x_url.Server(), NameOfKeyType(type), shown),
               fmt::format("ask who runs the server for its fingerprint; if it is this one, write host_key: \"{}\" into the source, or name a "
                           "file as `known_hosts:`", shown), ""};
}

Status SshSession::CheckKnownHosts(const char* key, std::size_t size, int type, const std::string& shown) const {
  const std::unique_ptr<LIBSSH2_KNOWNHOSTS, FreeKnownHosts> hosts(libssh2_knownhost_init(x_session));
  const int read = hosts == nullptr ? -1 : libssh2_knownhost_readfile(hosts.get(), x_access.known_hosts.c_str(), LIBSSH2_KNOWNHOST_FILE_OPENSSH);
  if (read < 0) {
    return Error{ErrorKind::kInvalidArgument, "cannot read `known_hosts:` " + x_access.known_hosts, "name a file as ssh-keyscan writes it", ""};
  }
  const int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | KnownHostType(type);
  const int found = libssh2_knownhost_checkp(hosts.get(), x_url.host.c_str(), x_url.port, key, size, mask, nullptr);
  if (found == LIBSSH2_KNOWNHOST_CHECK_MATCH) return {};
  const bool changed = found == LIBSSH2_KNOWNHOST_CHECK_MISMATCH;
  return Error{ErrorKind::kPermission,
               fmt::format("the host key of {} {} in {}: the server shows {} {}", x_url.Server(), changed ? "is not the one" : "does not stand",
                           x_access.known_hosts, NameOfKeyType(type), shown),
               changed ? "ask who runs the server whether the key was changed; only then correct the file"
                       : "ask who runs the server for its fingerprint; if it is this one, add the line of ssh-keyscan to the file",
               ""};
}

Status SshSession::LogIn() {
  if (x_access.user.empty()) return Error{ErrorKind::kInvalidArgument, "the source names no user for " + x_url.Server(), "write `user:`", ""};
  const auto length = static_cast<unsigned int>(x_access.user.size());
  TRY_ASSIGN(char* const methods, Make([&] { return libssh2_userauth_list(x_session, x_access.user.c_str(), length); }));
  if (methods == nullptr && libssh2_userauth_authenticated(x_session) != 0) return {};  // whoever comes is let in
  if (methods == nullptr) return Failed("ask how to log in", last_error());
  const std::string offered = methods;
  if (!x_access.key_file.empty()) return LogInByKey();
  if (!x_access.password.empty()) return LogInByPassword(offered);
  return Error{ErrorKind::kInvalidArgument, fmt::format("{} asks {} for one of: {}", x_url.Server(), x_access.user, offered),
               "write `key_file:` or `password: ${NAME}`", ""};
}

Status SshSession::LogInByKey() const {
  struct stat info {};
  if (::stat(x_access.key_file.c_str(), &info) != 0) {
    return Error{ErrorKind::kNotFound, fmt::format("cannot read `key_file:` {}: {}", x_access.key_file, std::strerror(errno)), "correct its path", ""};
  }
  if ((info.st_mode & 077) != 0) {
    return Error{ErrorKind::kPermission, "the private key can be read by others: " + x_access.key_file, "chmod 600 " + x_access.key_file, ""};
  }
  const std::string& phrase = x_access.key_passphrase;
  TRY_ASSIGN(const long code, Call([&] {
    return libssh2_userauth_publickey_fromfile_ex(x_session, x_access.user.c_str(), static_cast<unsigned int>(x_access.user.size()), nullptr,
                                                  x_access.key_file.c_str(), phrase.empty() ? nullptr : phrase.c_str());
  }));
  if (code == 0) return {};
  const bool refused = code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED || code == LIBSSH2_ERROR_AUTHENTICATION_FAILED;
  const bool gone = code == LIBSSH2_ERROR_SOCKET_SEND || code == LIBSSH2_ERROR_SOCKET_RECV || code == LIBSSH2_ERROR_SOCKET_DISCONNECT;
  if (gone) return Failed("log in", code);
  if (!refused) {
    return Error{ErrorKind::kInvalidArgument, "the private key cannot be used: " + x_access.key_file,
                 phrase.empty() ? "see whether it is a private key; one with a passphrase needs `key_passphrase: ${NAME}`" : "correct `key_passphrase:`", ""};
  }
  return Error{ErrorKind::kPermission, fmt::format("{} refuses the key of {}: {}", x_url.Server(), x_access.user, x_access.key_file),
               "correct `user:` or `key_file:`, or have the public key added there; RSA keys are refused by servers without ssh-rsa: use ed25519", ""};
}

Status SshSession::LogInByPassword(std::string_view methods) {
  const auto length = static_cast<unsigned int>(x_access.user.size());
  long code = LIBSSH2_ERROR_AUTHENTICATION_FAILED;
  if (methods.find("password") != std::string_view::npos) {
    TRY_ASSIGN(code, Call([&] {
      return libssh2_userauth_password_ex(x_session, x_access.user.c_str(), length, x_access.password.c_str(),
                                          static_cast<unsigned int>(x_access.password.size()), nullptr);
    }));
  } else if (methods.find("keyboard-interactive") != std::string_view::npos) {
    *libssh2_session_abstract(x_session) = const_cast<std::string*>(&x_access.password);
    TRY_ASSIGN(code, Call([&] { return libssh2_userauth_keyboard_interactive_ex(x_session, x_access.user.c_str(), length, OnQuestions); }));
  } else {
    return Error{ErrorKind::kPermission, fmt::format("{} takes no password, but: {}", x_url.Server(), methods), "write `key_file:` instead", ""};
  }
  if (code == 0) return {};
  if (code != LIBSSH2_ERROR_AUTHENTICATION_FAILED) return Failed("log in", code);
  return Error{ErrorKind::kPermission, fmt::format("{} refuses the user {} or the password", x_url.Server(), x_access.user),
               "correct `user:`, or the secret behind `password:`", ""};
}

Error SshSession::Failed(const std::string& what, long code) const {
  if (code == LIBSSH2_ERROR_SFTP_PROTOCOL && x_sftp != nullptr) {
    switch (libssh2_sftp_last_error(x_sftp)) {
      case LIBSSH2_FX_NO_SUCH_FILE:
      case LIBSSH2_FX_NO_SUCH_PATH:
        return Error{ErrorKind::kNotFound, fmt::format("cannot {}: there is none on {}", what, x_url.Server()), "correct `location:` of the source", ""};
      case LIBSSH2_FX_PERMISSION_DENIED:
      case LIBSSH2_FX_WRITE_PROTECT:
        return Error{ErrorKind::kPermission, fmt::format("cannot {}: {} refuses it to {}", what, x_url.Server(), x_access.user),
                     "have the right given to that user there", ""};
      case LIBSSH2_FX_FILE_ALREADY_EXISTS: return Error{ErrorKind::kAlreadyExists, "cannot " + what + ": there is one of that name", "", ""};
      default: break;
    }
    return Error{ErrorKind::kUnavailable, fmt::format("cannot {}: {} fails with SFTP status {}", what, x_url.Server(), libssh2_sftp_last_error(x_sftp)),
                 "try again; if it stays, look at the server's log", ""};
  }
  char* text = nullptr;
  libssh2_session_last_error(x_session, &text, nullptr, 0);
  return Error{ErrorKind::kUnavailable, fmt::format("cannot {}: the connection to {} broke: {}", what, x_url.Server(), text == nullptr ? "" : text),
               "see whether the server runs and is an SSH server", ""};
}

}  // namespace caudal
