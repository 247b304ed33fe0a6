#include "app/report_document.h"

#include "base/json.h"
#include "serve/run_document.h"

namespace caudal {

Json ReportDocument(const RunReport& report, const RunWatcher& watcher, const std::string& resume) {
  Json document = RunDocument(report.run);
  document["event"] = "report";
  document["resume"] = resume.empty() ? Json(nullptr) : Json(resume);
  document["tasks"] = Json::array();
  Json counts = Json::object();
  for (const TaskRecord& task : report.tasks) {
    const auto ended = watcher.ended().find(task.name);
    document["tasks"].push_back(TaskDocument(task, ended == watcher.ended().end() ? nullptr : &ended->second.outcome));
    Json& count = counts[std::string(TaskStatusName(task.status))];
    count = (count.is_null() ? 0 : count.get<int>()) + 1;
  }
  document["counts"] = counts;
  return document;
}

}  // namespace caudal
