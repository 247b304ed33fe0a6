// What a worker process may do, and the kernel's means to hold it to that: Landlock for files, seccomp for network,
// processes and signals, rlimits, no capabilities but those to open files, no new privileges. None of it can be taken back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace caudal {

struct Rights {
  std::vector<std::string> read_paths;     // files, or folders with all below
  std::vector<std::string> write_folders;  // read and write, with all below
  std::vector<std::string> execute_paths;  // read and execute, with all below; any: may start programs, which get the same rights
  bool network = false;                    // TCP and UDP to anywhere; name resolution and certificates
  int tcp_port = 0;                        // with network: TCP to this port only, and to name servers; 0 = any
  std::int64_t memory_bytes = 0;           // above what is mapped now; 0 = no ceiling
};

/// Errors: kUnsupported naming what the kernel lacks (Landlock version 2, seccomp filters).
Status SandboxSupported();

/// Takes everything else away from this process, for good. Paths that do not exist are left out.
/// Requires: one thread (threads that run already would keep their rights), and `keep_fds` and the standard
/// descriptors are all that stay open. Errors: kUnsupported, kInternal.
Status ApplySandbox(const Rights& rights, const std::vector<int>& keep_fds);

/// The rlimits and flags alone, for workers that run without a sandbox by the user's will.
Status ApplyLimits(const Rights& rights);

}  // namespace caudal
