#include "app/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "app/exit_code.h"

namespace caudal {
namespace {

CancelFlag g_cancel{false};  // a signal handler reaches nothing but globals
static_assert(CancelFlag::is_always_lock_free);

void OnSignal(int) {
  if (g_cancel.exchange(true)) ::_exit(kExitCancelled);
  const char* words = "\nstopping: what is running ends within a second; once more stops at once\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, words, std::strlen(words));
}

std::atomic<int> g_stops{0};
static_assert(std::atomic<int>::is_always_lock_free);

void OnStop(int) {
  if (g_stops.fetch_add(1) >= 2) ::_exit(kExitCancelled);
}

void Catch(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

const CancelFlag& CatchInterrupts() {
  Catch(OnSignal);
  return g_cancel;
}

const std::atomic<int>& CatchStops() {
  Catch(OnStop);
  // Who reads the log may go away, and so may a server in the middle of a message: neither ends the daemon.
  std::signal(SIGPIPE, SIG_IGN);
  return g_stops;
}

}  // namespace caudal
