#include "connect/raw_file.h"

#include <zstd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "connect/staged_batches.h"

namespace caudal {
namespace {
constexpr std::size_t kQueuedBytes = std::size_t{4} << 20;
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
}  // namespace

struct RawFile::State {
  AppendFile file;
  bool store = false;
  ZSTD_CCtx* zstd = nullptr;
  std::vector<char> zstd_out;
  Sha256 digest;
  RawDigest result;

  std::string gathering;  // small pieces, of the caller's thread
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> queue;
  std::size_t queued = 0;
  bool closed = false;
  std::optional<Error> failed;
  std::thread thread;

  ~State() {
    if (thread.joinable()) {
      {
        const std::lock_guard lock(mutex);
        queue.clear();
        closed = true;
      }
      changed.notify_all();
      thread.join();
    }
    ZSTD_freeCCtx(zstd);
  }

  Status Stored(std::string_view bytes) {
    result.stored_bytes += static_cast<std::int64_t>(bytes.size());
    return file.Write(bytes);
  }

  Status Compress(std::string_view bytes, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{zstd_out.data(), zstd_out.size(), 0};
      const std::size_t left = ZSTD_compressStream2(zstd, &out, &in, end);
      if (ZSTD_isError(left) != 0) {
        return Error{ErrorKind::kInternal, std::string("zstd does not compress: ") + ZSTD_getErrorName(left), "", ""};
      }
      TRY(Stored(std::string_view(zstd_out.data(), out.pos)));
      if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  Status Take(std::string_view bytes) {
    digest.Update(bytes);
    if (!store) return {};
    return zstd != nullptr ? Compress(bytes, ZSTD_e_continue) : Stored(bytes);
  }

  Status Close() {
    if (!store) return {};
    if (zstd != nullptr) TRY(Compress("", ZSTD_e_end));
    return file.Close();
  }

  void Work() {
    for (;;) {
      std::string piece;
      bool last = false;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return closed || !queue.empty(); });
        last = queue.empty();
        if (!last) {
          piece = std::move(queue.front());
          queue.pop_front();
        }
      }
      Status done = last ? Close() : Take(piece);
      {
        const std::lock_guard lock(mutex);
        queued -= piece.size();
        if (!done) failed = std::move(done).error();
        if (failed) queue.clear();
      }
      changed.notify_all();
      if (last || failed) return;
    }
  }

  Status Push(std::string piece) {
    if (!thread.joinable()) thread = std::thread([this] { Work(); });
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return failed || queued < kQueuedBytes; });
      if (failed) return *failed;
      queued += piece.size();
      queue.push_back(std::move(piece));
    }
    changed.notify_all();
    return {};
  }
};

RawFile::RawFile(std::unique_ptr<State> state) : x_state(std::move(state)) {}

RawFile::~RawFile() = default;

Result<std::unique_ptr<RawFile>> RawFile::Open(const std::string& path, bool compress) {
  auto state = std::make_unique<State>();
  state->store = true;
  TRY(state->file.Open(path));
  if (compress) {
    state->zstd = ZSTD_createCCtx();
    state->zstd_out.resize(ZSTD_CStreamOutSize());
    ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_checksumFlag, 1);
  }
  return std::unique_ptr<RawFile>(new RawFile(std::move(state)));
}

std::unique_ptr<RawFile> RawFile::DigestOnly() {
  return std::unique_ptr<RawFile>(new RawFile(std::make_unique<State>()));
}

Status RawFile::Append(std::string_view bytes) {
  x_state->result.size_bytes += static_cast<std::int64_t>(bytes.size());
  x_state->gathering.append(bytes);
  if (x_state->gathering.size() < kPieceBytes) return {};
  return x_state->Push(std::exchange(x_state->gathering, {}));
}

Result<RawDigest> RawFile::Finish() {
  State& state = *x_state;
  if (!state.thread.joinable()) {  // a small file is not worth one
    TRY(state.Take(state.gathering));
    TRY(state.Close());
    state.result.sha256 = state.digest.Hex();
    return state.result;
  }
  if (!state.gathering.empty()) TRY(state.Push(std::exchange(state.gathering, {})));
  {
    const std::lock_guard lock(state.mutex);
    state.closed = true;
  }
  state.changed.notify_all();
  state.thread.join();
  if (state.failed) return *state.failed;
  state.result.sha256 = state.digest.Hex();
  return state.result;
}

}  // namespace caudal
