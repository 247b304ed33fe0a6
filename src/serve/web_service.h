// The daemon's HTTP side in one piece: server, routes, who may use them, events. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "flow/daemon.h"

namespace caudal {

struct WebOptions {
  std::string listen = "127.0.0.1:8088";  // address and port
  std::string url;                        // by which people reach it, "" = by that address
};

class WebService {
 public:
  /// Listens at once, and answers all but a few routes with 503 until the daemon has a project. `state_path`: of the SQLite
  /// store, which it opens once more. All outlive it. Errors: kInvalidArgument, kConflict (the port is taken), of the store.
  static Result<std::unique_ptr<WebService>> Start(const WebOptions& options, Daemon& daemon, const std::string& state_path, const Clock& clock);
  virtual ~WebService() = default;

  /// "http://127.0.0.1:8088"
  virtual const std::string& address() const = 0;
  /// True where others than this machine can reach it.
  virtual bool open_to_others() const = 0;
  /// The one-time link that makes the first admin, where there is no user. Behind # nothing is sent to a server, nor logged there.
  virtual const std::optional<std::string>& setup_link() const = 0;
  virtual void Stop() = 0;
};

}  // namespace caudal
