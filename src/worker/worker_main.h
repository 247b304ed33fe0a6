// The life of a worker process: one job, then exit.
#pragma once

namespace caudal {

/// Sends "ready" over the socket `fd`, reads one work order, takes away all rights that the job does not need, does it,
/// sends the result. Ends the process at once where the parent is gone. To be called first thing in a fresh process.
/// Returns the exit code: 0 where an answer (a result or an error) was sent.
/// Frames: docs/formats/worker-protocol.md.
int WorkerMain(int fd, bool sandbox);

}  // namespace caudal
