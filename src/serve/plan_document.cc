#include "serve/plan_document.h"

#include "base/json.h"

namespace caudal {

Json PlanDocument(const Project& project, const RunRequest& request, const std::vector<PlanItem>& plan) {
  Json document{{"pipeline", request.pipeline}, {"release", project.hash}, {"items", Json::array()}};
  for (const PlanItem& item : plan) {
    document["items"].push_back({{"table", item.table},
                                 {"action", item.action},
                                 {"reason", item.reason},
                                 {"partitions", item.partitions},
                                 {"drift", item.drift},
                                 {"depends_on_load", item.depends_on_load}});
  }
  return document;
}

}  // namespace caudal
