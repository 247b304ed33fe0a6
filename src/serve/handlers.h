// The handlers of the routes, by subject. Each answers one request; src/serve/openapi.json says with what.
#pragma once

#include "serve/route.h"

namespace caudal {

// api_health.cc
Result<HttpResponse> GetLive(const Served&, const Call&);
Result<HttpResponse> GetReady(const Served&, const Call&);
Result<HttpResponse> GetMetrics(const Served&, const Call&);
Result<HttpResponse> GetOpenApi(const Served&, const Call&);

// api_access.cc
Result<HttpResponse> GetSetup(const Served&, const Call&);
Result<HttpResponse> PostSetup(const Served&, const Call&);
Result<HttpResponse> GetSession(const Served&, const Call&);
Result<HttpResponse> PostSession(const Served&, const Call&);
Result<HttpResponse> DeleteSession(const Served&, const Call&);
Result<HttpResponse> PutPassword(const Served&, const Call&);
Result<HttpResponse> GetUsers(const Served&, const Call&);
Result<HttpResponse> PostUser(const Served&, const Call&);
Result<HttpResponse> PatchUser(const Served&, const Call&);
Result<HttpResponse> DeleteUser(const Served&, const Call&);
Result<HttpResponse> GetTokens(const Served&, const Call&);
Result<HttpResponse> PostToken(const Served&, const Call&);
Result<HttpResponse> DeleteToken(const Served&, const Call&);

// api_pipelines.cc
Result<HttpResponse> GetOverview(const Served&, const Call&);
Result<HttpResponse> GetSchedule(const Served&, const Call&);
Result<HttpResponse> GetPipelines(const Served&, const Call&);
Result<HttpResponse> GetPipeline(const Served&, const Call&);
Result<HttpResponse> GetMatrix(const Served&, const Call&);
Result<HttpResponse> PostPause(const Served&, const Call&);
Result<HttpResponse> PostResume(const Served&, const Call&);

// api_runs.cc
Result<HttpResponse> GetRuns(const Served&, const Call&);
Result<HttpResponse> GetRun(const Served&, const Call&);
Result<HttpResponse> GetRunLog(const Served&, const Call&);
Result<HttpResponse> PostRun(const Served&, const Call&);
Result<HttpResponse> PostPlan(const Served&, const Call&);
Result<HttpResponse> PostRetry(const Served&, const Call&);
Result<HttpResponse> PostCancel(const Served&, const Call&);

// api_tables.cc
Result<HttpResponse> GetTables(const Served&, const Call&);
Result<HttpResponse> GetTable(const Served&, const Call&);
Result<HttpResponse> GetVersions(const Served&, const Call&);
Result<HttpResponse> GetPartitions(const Served&, const Call&);
Result<HttpResponse> GetTableChecks(const Served&, const Call&);
Result<HttpResponse> GetTableTasks(const Served&, const Call&);

// api_graph.cc
Result<HttpResponse> GetGraph(const Served&, const Call&);
Result<HttpResponse> GetLineage(const Served&, const Call&);
Result<HttpResponse> GetSources(const Served&, const Call&);
Result<HttpResponse> GetSource(const Served&, const Call&);

// api_alerts.cc
Result<HttpResponse> GetAlerts(const Served&, const Call&);
Result<HttpResponse> PostChannelTest(const Served&, const Call&);

// api_events.cc
Result<HttpResponse> GetEvents(const Served&, const Call&);

}  // namespace caudal
