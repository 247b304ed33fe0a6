#include "app/analysis_cache.h"

#include <filesystem>
#include <fstream>
#include <list>
#include <mutex>
#include <sstream>

#include "base/ids.h"
#include "base/json.h"
#include "engine/job_json.h"

namespace caudal {
namespace {

constexpr std::size_t kMostEntries = 64;

struct Entry {
  std::string key;
  std::string result;
};

class AnalysisCache final : public Engine {
 public:
  AnalysisCache(Engine& under, std::string file, std::string program)
      : x_under(under), x_file(std::move(file)), x_program(std::move(program)) {
    Read();
  }
  ~AnalysisCache() override {
    if (x_changed) Write();
  }

  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override {
    if (!std::holds_alternative<AnalyzeJob>(job)) return x_under.Run(job, options, cost);
    const std::string key = Sha256Hex(OrderToJson(WorkOrder{job, JobLimits{}, ""}));
    if (std::string known = Take(key); !known.empty()) {
      if (auto result = JobResultFromJson(known)) return result;
    }
    Result<JobResult> result = x_under.Run(job, options, cost);
    if (result) Put(key, JobResultToJson(*result));
    return result;
  }

 private:
  /// The newest used stand in front.
  std::string Take(const std::string& key) {
    const std::lock_guard lock(x_mutex);
    for (auto it = x_entries.begin(); it != x_entries.end(); ++it) {
      if (it->key != key) continue;
      x_entries.splice(x_entries.begin(), x_entries, it);
      return it->result;
    }
    return "";
  }

  void Put(const std::string& key, std::string result) {
    const std::lock_guard lock(x_mutex);
    x_entries.push_front(Entry{key, std::move(result)});
    if (x_entries.size() > kMostEntries) x_entries.pop_back();
    x_changed = true;
  }

  void Read() {
    std::ifstream in(x_file, std::ios::binary);
    if (!in) return;
    std::ostringstream text;
    text << in.rdbuf();
    auto json = ParseJson(text.str(), "the analysis cache");
    if (!json || !json->is_object() || JsonString(*json, "program", "") != x_program) return;
    const auto entries = json->find("entries");
    if (entries == json->end() || !entries->is_array()) return;
    for (const Json& entry : *entries) {
      if (!entry.is_object()) continue;
      x_entries.push_back(Entry{JsonString(entry, "key", ""), JsonString(entry, "result", "")});
    }
  }

  void Write() const {
    Json json{{"program", x_program}, {"entries", Json::array()}};
    for (const Entry& entry : x_entries) json["entries"].push_back({{"key", entry.key}, {"result", entry.result}});
    const std::string fresh = x_file + "." + NewToken();
    std::error_code ignored;
    {
      std::ofstream out(fresh, std::ios::binary);
      out << DumpJson(json);
      if (!out.flush()) {
        std::filesystem::remove(fresh, ignored);
        return;
      }
    }
    std::filesystem::rename(fresh, x_file, ignored);
    if (ignored) std::filesystem::remove(fresh, ignored);
  }

  Engine& x_under;
  const std::string x_file;
  const std::string x_program;
  std::mutex x_mutex;
  std::list<Entry> x_entries;
  bool x_changed = false;
};

}  // namespace

std::unique_ptr<Engine> MakeAnalysisCache(Engine& under, std::string file, std::string program) {
  return std::make_unique<AnalysisCache>(under, std::move(file), std::move(program));
}

}  // namespace caudal
