#include "serve/handlers.h"

namespace caudal {

const std::vector<Route>& Routes() {
  using enum Role;
  // method, path, least role, query parameters, takes a body, handler, answers are kept
  static const std::vector<Route> routes = {
      {"GET", "/health/live", kNone, "", false, GetLive},
      {"GET", "/health/ready", kNone, "", false, GetReady},
      {"GET", "/metrics", kViewer, "", false, GetMetrics},
      {"GET", "/api/v1/openapi.json", kNone, "", false, GetOpenApi},

      {"GET", "/api/v1/setup", kNone, "", false, GetSetup},
      {"POST", "/api/v1/setup", kNone, "", true, PostSetup},
      {"GET", "/api/v1/session", kViewer, "", false, GetSession},
      {"POST", "/api/v1/session", kNone, "", true, PostSession},
      {"DELETE", "/api/v1/session", kViewer, "", false, DeleteSession},
      {"PUT", "/api/v1/session/password", kViewer, "", true, PutPassword},

      {"GET", "/api/v1/overview", kViewer, "", false, GetOverview, true},
      {"GET", "/api/v1/graph", kViewer, "pipeline", false, GetGraph, true},
      {"GET", "/api/v1/schedule", kViewer, "pipeline next after", false, GetSchedule},
      {"GET", "/api/v1/events", kViewer, "after", false, GetEvents},

      {"GET", "/api/v1/pipelines", kViewer, "", false, GetPipelines, true},
      {"GET", "/api/v1/pipelines/{pipeline}", kViewer, "", false, GetPipeline, true},
      {"GET", "/api/v1/pipelines/{pipeline}/matrix", kViewer, "runs", false, GetMatrix, true},
      {"POST", "/api/v1/pipelines/{pipeline}/pause", kOperator, "", false, PostPause},
      {"POST", "/api/v1/pipelines/{pipeline}/resume", kOperator, "", false, PostResume},

      {"GET", "/api/v1/runs", kViewer, "pipeline status limit cursor", false, GetRuns, true},
      {"POST", "/api/v1/runs", kOperator, "", true, PostRun},
      {"POST", "/api/v1/plan", kViewer, "", true, PostPlan},
      {"GET", "/api/v1/runs/{run}", kViewer, "", false, GetRun},
      {"GET", "/api/v1/runs/{run}/log", kViewer, "after tail limit", false, GetRunLog},
      {"POST", "/api/v1/runs/{run}/retry", kOperator, "", true, PostRetry},
      {"POST", "/api/v1/runs/{run}/cancel", kOperator, "", false, PostCancel},

      {"GET", "/api/v1/tables", kViewer, "", false, GetTables},
      {"GET", "/api/v1/tables/{table}", kViewer, "", false, GetTable},
      {"GET", "/api/v1/tables/{table}/versions", kViewer, "limit before", false, GetVersions},
      {"GET", "/api/v1/tables/{table}/partitions", kViewer, "limit", false, GetPartitions},
      {"GET", "/api/v1/tables/{table}/checks", kViewer, "limit", false, GetTableChecks},
      {"GET", "/api/v1/tables/{table}/tasks", kViewer, "limit", false, GetTableTasks},
      {"GET", "/api/v1/tables/{table}/lineage", kViewer, "", false, GetLineage},

      {"GET", "/api/v1/sources", kViewer, "", false, GetSources},
      {"GET", "/api/v1/sources/{source}", kViewer, "", false, GetSource},

      {"GET", "/api/v1/alerts", kViewer, "limit before", false, GetAlerts, true},
      {"POST", "/api/v1/alerts/channels/{channel}/test", kOperator, "", false, PostChannelTest},

      {"GET", "/api/v1/users", kAdmin, "", false, GetUsers},
      {"POST", "/api/v1/users", kAdmin, "", true, PostUser},
      {"PATCH", "/api/v1/users/{user}", kAdmin, "", true, PatchUser},
      {"DELETE", "/api/v1/users/{user}", kAdmin, "", false, DeleteUser},
      {"GET", "/api/v1/tokens", kAdmin, "", false, GetTokens},
      {"POST", "/api/v1/tokens", kAdmin, "", true, PostToken},
      {"DELETE", "/api/v1/tokens/{id}", kAdmin, "", false, DeleteToken},
  };
  return routes;
}

}  // namespace caudal
