#include "app/remote_lake.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <thread>

#include "project/secret_file.h"

namespace caudal {
namespace {

constexpr std::size_t kUploadsAtOnce = 8;
constexpr int kTriesToOpen = 4;

int PortOf(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::string authority = url.substr(host, url.find('/', host) - host);
  const std::size_t colon = authority.rfind(':');
  int port = url.starts_with("https://") ? 443 : 80;
  if (colon != std::string::npos && authority.find(']', colon) == std::string::npos) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), port);
  }
  return port;
}

class RemoteLakeEngine final : public Engine {
 public:
  RemoteLakeEngine(Engine& under, S3Store& store) : x_under(under), x_store(store), x_name_root(store.Url() + "/") {}

  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override {
    if (const auto* compute = std::get_if<ComputeJob>(&job)) return RunSigned(*compute, options, cost);
    if (const auto* move = std::get_if<MoveJob>(&job); move != nullptr && move->store_url == x_store.Url()) return Move(*move, options);
    return x_under.Run(job, options, cost);
  }

 private:
  Result<JobResult> RunSigned(const ComputeJob& job, const RunOptions& options, JobCost* cost) {
    RemoteFiles remote;
    for (const TableInput& input : job.inputs) {
      for (const std::string& file : input.files) {
        if (!file.starts_with(x_name_root)) continue;
        TRY_ASSIGN(remote.urls[file], x_store.ReadLocation(file.substr(x_name_root.size())));
      }
    }
    if (remote.urls.empty()) return x_under.Run(job, options, cost);
    remote.name_root = x_name_root;
    remote.url_root = x_store.ReadRoot() + "/";
    remote.tcp_port = PortOf(remote.url_root);
    remote.ca_file = x_store.options().ca_file;
    ComputeJob signed_job = job;
    signed_job.remote = std::move(remote);
    auto result = x_under.Run(std::move(signed_job), options, cost);
    if (result) return result;
    Error error = std::move(result).error();
    error.message = WithoutSignatures(std::move(error.message));
    return error;
  }

  Result<JobResult> Move(const MoveJob& job, const RunOptions& options) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    Status failed;
    const auto work = [&] {
      for (std::size_t i = next++; i < job.items.size(); i = next++) {
        Status put = options.cancel != nullptr && *options.cancel ? Status(Error{ErrorKind::kCancelled, "the upload was cancelled", "", ""})
                                                                  : x_store.PutFileIfAbsent(job.items[i].key, job.items[i].local_path);
        if (put) continue;
        const std::lock_guard lock(mutex);
        if (failed) failed = std::move(put);
        next = job.items.size();
      }
    };
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < std::min(job.items.size(), kUploadsAtOnce); ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    if (!failed) return std::move(failed).error();
    return JobResult(MoveResult{});
  }

  Engine& x_under;
  S3Store& x_store;
  const std::string x_name_root;
};

}  // namespace

Result<std::unique_ptr<S3Store>> OpenS3Lake(const std::string& url, const std::string& project_folder) {
  TRY_ASSIGN(const SecretFile secrets, SecretFile::Read(project_folder));
  const Environment process = ProcessEnvironment();
  const Environment environment = [=](const std::string& name) -> std::optional<std::string> {
    if (auto value = process(name)) return value;
    return secrets.Entry(name);
  };
  TRY_ASSIGN(S3Options options, S3OptionsOf(url, environment, SystemClock()));
  S3Options impatient = options;  // a mistake in an address is told within a second
  impatient.tries = kTriesToOpen;
  TRY_ASSIGN(const auto first, MakeS3Store(std::move(impatient)));
  TRY(first->CheckBucket());
  return MakeS3Store(std::move(options));
}

std::unique_ptr<Engine> MakeRemoteLakeEngine(Engine& under, S3Store& store) { return std::make_unique<RemoteLakeEngine>(under, store); }

std::string WithoutSignatures(std::string text) {
  constexpr std::string_view kBegin = "?X-Amz-";
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    const std::size_t end = text.find_first_of(" '\"\n)]", at);
    text.erase(at, end == std::string::npos ? std::string::npos : end - at);
  }
  return text;
}

}  // namespace caudal
