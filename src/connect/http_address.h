// Which addresses belong to this machine or its network, so that a source that names them reads what is not the Internet's.
#pragma once

#include <sys/socket.h>

namespace caudal {

/// Loopback, private, link-local, shared, multicast and unspecified addresses, also within IPv6; what is neither IPv4 nor
/// IPv6.
bool IsPrivateAddress(const sockaddr* address);

}  // namespace caudal
