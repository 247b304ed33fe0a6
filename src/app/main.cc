// The one executable. `caudal worker --fd N [--no-sandbox]` is started by the worker pool alone; all else is the
// command line.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "app/cli.h"
#include "worker/worker_main.h"

namespace {

bool is_worker = false;

int RunWorker(int argc, char** argv) {
  is_worker = true;
  int fd = -1;
  bool sandbox = true;
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--no-sandbox") {
      sandbox = false;
    } else if (argument == "--fd" && i + 1 < argc) {
      const char* text = argv[++i];
      std::from_chars(text, text + std::strlen(text), fd);
    }
  }
  if (fd < 0) {
    std::fputs("caudal worker is started by caudal itself\n", stderr);
    return 2;
  }
  return caudal::WorkerMain(fd, sandbox);
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// The leak search traces its own process, which the sandbox of a worker forbids.
extern "C" int __lsan_is_turned_off() { return is_worker ? 1 : 0; }
// What is freed stays resident in the quarantine, 256 MiB by default: as much as a whole worker may have.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=16"; }
#endif

int main(int argc, char** argv) {
  // A write past the size limit of files fails with an error instead, in workers, too: they inherit it.
  std::signal(SIGXFSZ, SIG_IGN);
  if (argc > 1 && std::string_view(argv[1]) == "worker") return RunWorker(argc, argv);
  return caudal::RunCli(argc, argv);
}
