#include "engine/job_json.h"

#include "base/json.h"

namespace caudal {

const StepResult* ComputeResult::Find(std::string_view name) const {
  for (const StepResult& step : steps) {
    if (step.name == name) return &step;
  }
  return nullptr;
}

namespace {

// Reading uses at() and get<>(), which throw on any surprise; FromText turns that into an Error once.
struct Refused {
  Error error;
};

template <typename T>
T Take(Result<T> result) {
  if (!result) throw Refused{std::move(result).error()};
  return std::move(result).value();
}

[[noreturn]] void Refuse(const std::string& why) {
  throw Refused{Error{ErrorKind::kCorruption, "malformed message from the other process: " + why, "", ""}};
}

template <typename F>
auto FromText(std::string_view text, std::string_view what, F read)
    -> Result<decltype(read(std::declval<const Json&>()))> {
  TRY_ASSIGN(const Json json, ParseJson(text, what));
  try {
    return read(json);
  } catch (const Refused& refused) {
    return Error{ErrorKind::kCorruption, refused.error.message, "", ""};
  } catch (const Json::exception& e) {
    return Error{ErrorKind::kCorruption, "malformed message from the other process: " + std::string(e.what()), "", ""};
  }
}

Json FromCell(const Cell& cell) { return cell ? Json(*cell) : Json(nullptr); }

Cell ToCell(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<std::string>();
}

Json FromRows(const Rows& rows) {
  Json lines = Json::array();
  for (const auto& row : rows.rows) {
    Json line = Json::array();
    for (const Cell& cell : row) line.push_back(FromCell(cell));
    lines.push_back(std::move(line));
  }
  return Json{{"schema", SchemaToJson(rows.schema)}, {"rows", std::move(lines)}, {"truncated", rows.truncated}};
}

Rows ToRows(const Json& json) {
  Rows rows;
  rows.schema = Take(SchemaFromJson(json.at("schema")));
  for (const Json& line : json.at("rows")) {
    std::vector<Cell>& row = rows.rows.emplace_back();
    for (const Json& cell : line) row.push_back(ToCell(cell));
    if (row.size() != rows.schema.fields.size()) Refuse("a row has another number of cells than its schema");
  }
  rows.truncated = json.at("truncated").get<bool>();
  return rows;
}

// Compute

Json FromLayout(const WriteLayout& layout) {
  return Json{{"folder", layout.folder},
              {"columns", SchemaToJson(layout.columns)},
              {"partition_by", layout.partition_by},
              {"file_by", layout.file_by},
              {"order_by", layout.order_by},
              {"target_file_bytes", layout.target_file_bytes}};
}

WriteLayout ToLayout(const Json& json) {
  WriteLayout layout;
  layout.folder = json.at("folder").get<std::string>();
  layout.columns = Take(SchemaFromJson(json.at("columns")));
  layout.partition_by = json.at("partition_by").get<std::vector<std::string>>();
  layout.file_by = json.at("file_by").get<std::string>();
  layout.order_by = json.at("order_by").get<std::vector<std::string>>();
  layout.target_file_bytes = json.at("target_file_bytes").get<std::int64_t>();
  return layout;
}

Json FromStep(const Step& step) {
  const char* kind = step.kind == Step::Kind::kRun ? "run" : step.kind == Step::Kind::kWrite ? "write" : "query";
  Json json{{"kind", kind}, {"name", step.name}, {"sql", step.sql}, {"user_sql", step.user_sql}};
  if (step.kind == Step::Kind::kWrite) {
    json["layout"] = FromLayout(step.layout);
    json["where"] = step.where;
  }
  if (step.kind == Step::Kind::kQuery) json["max_rows"] = step.max_rows;
  return json;
}

Step ToStep(const Json& json) {
  Step step;
  const auto kind = json.at("kind").get<std::string>();
  if (kind == "write") {
    step.kind = Step::Kind::kWrite;
    step.layout = ToLayout(json.at("layout"));
    step.where = json.at("where").get<std::string>();
  } else if (kind == "query") {
    step.kind = Step::Kind::kQuery;
    step.max_rows = json.at("max_rows").get<std::int64_t>();
  } else if (kind != "run") {
    Refuse("no such kind of step: " + kind);
  }
  step.name = json.at("name").get<std::string>();
  step.sql = json.at("sql").get<std::string>();
  step.user_sql = json.at("user_sql").get<bool>();
  return step;
}

Json FromRemote(const RemoteFiles& remote) {
  if (remote.urls.empty()) return nullptr;
  return Json{{"name_root", remote.name_root}, {"url_root", remote.url_root}, {"urls", remote.urls},
              {"tcp_port", remote.tcp_port},   {"ca_file", remote.ca_file}};
}

RemoteFiles ToRemote(const Json& json) {
  if (json.is_null()) return {};
  return RemoteFiles{json.at("name_root").get<std::string>(), json.at("url_root").get<std::string>(),
                     json.at("urls").get<std::map<std::string, std::string>>(), json.at("tcp_port").get<int>(),
                     json.at("ca_file").get<std::string>()};
}

Json FromJob(const ComputeJob& job) {
  Json inputs = Json::array();
  for (const TableInput& input : job.inputs) {
    inputs.push_back(Json{{"schema", input.schema},
                          {"name", input.name},
                          {"columns", SchemaToJson(input.columns)},
                          {"files", input.files},
                          {"with_origin", input.with_origin},
                          {"only", input.only}});
  }
  Json databases = Json::array();
  for (const AttachedDatabase& database : job.databases) {
    databases.push_back(Json{{"name", database.name}, {"kind", database.kind}, {"location", database.location}});
  }
  Json parameters = Json::object();
  for (const auto& [name, parameter] : job.parameters) {
    parameters[name] = Json{{"type", parameter.type.ToSql()}, {"value", FromCell(parameter.value)}};
  }
  Json steps = Json::array();
  for (const Step& step : job.steps) steps.push_back(FromStep(step));
  return Json{{"inputs", std::move(inputs)},         {"databases", std::move(databases)},
              {"read_paths", job.read_paths},        {"output_folder", job.output_folder},
              {"parameters", std::move(parameters)}, {"steps", std::move(steps)},
              {"remote", FromRemote(job.remote)}};
}

ComputeJob ToComputeJob(const Json& json) {
  ComputeJob job;
  for (const Json& item : json.at("inputs")) {
    job.inputs.push_back(TableInput{item.at("schema").get<std::string>(), item.at("name").get<std::string>(),
                                    Take(SchemaFromJson(item.at("columns"))),
                                    item.at("files").get<std::vector<std::string>>(),
                                    item.at("with_origin").get<bool>(), item.at("only").get<std::string>()});
  }
  for (const Json& item : json.at("databases")) {
    job.databases.push_back(AttachedDatabase{item.at("name").get<std::string>(), item.at("kind").get<std::string>(),
                                             item.at("location").get<std::string>()});
  }
  job.read_paths = json.at("read_paths").get<std::vector<std::string>>();
  job.output_folder = json.at("output_folder").get<std::string>();
  for (const auto& [name, item] : json.at("parameters").items()) {
    job.parameters[name] = Parameter{Take(ParseType(item.at("type").get<std::string>())), ToCell(item.at("value"))};
  }
  for (const Json& item : json.at("steps")) job.steps.push_back(ToStep(item));
  job.remote = ToRemote(json.at("remote"));
  return job;
}

Json FromResult(const ComputeResult& result) {
  Json steps = Json::array();
  for (const StepResult& step : result.steps) {
    Json files = Json::array();
    for (const WrittenFile& file : step.files) files.push_back(WrittenFileToJson(file));
    steps.push_back(Json{{"name", step.name}, {"files", std::move(files)}, {"rows", FromRows(step.rows)}});
  }
  return Json{{"steps", std::move(steps)}};
}

ComputeResult ToComputeResult(const Json& json) {
  ComputeResult result;
  for (const Json& item : json.at("steps")) {
    StepResult& step = result.steps.emplace_back();
    step.name = item.at("name").get<std::string>();
    for (const Json& file : item.at("files")) step.files.push_back(Take(WrittenFileFromJson(file)));
    step.rows = ToRows(item.at("rows"));
  }
  return result;
}

// Analyze

Json FromJob(const AnalyzeJob& job) {
  Json tables = Json::array();
  for (const CatalogTable& table : job.tables) {
    tables.push_back(Json{{"schema", table.schema}, {"name", table.name}, {"columns", SchemaToJson(table.columns)}});
  }
  Json queries = Json::array();
  for (const AnalyzeQuery& query : job.queries) {
    queries.push_back(Json{{"name", query.name}, {"sql", query.sql}, {"partition_by", query.partition_by},
                           {"is_view", query.is_view}});
  }
  return Json{{"tables", std::move(tables)}, {"queries", std::move(queries)}};
}

AnalyzeJob ToAnalyzeJob(const Json& json) {
  AnalyzeJob job;
  for (const Json& item : json.at("tables")) {
    job.tables.push_back(CatalogTable{item.at("schema").get<std::string>(), item.at("name").get<std::string>(),
                                      Take(SchemaFromJson(item.at("columns")))});
  }
  for (const Json& item : json.at("queries")) {
    job.queries.push_back(AnalyzeQuery{item.at("name").get<std::string>(), item.at("sql").get<std::string>(),
                                       item.at("partition_by").get<std::string>(), item.at("is_view").get<bool>()});
  }
  return job;
}

Json FromOrigin(const ColumnOrigin& origin) { return Json{{"table", origin.table}, {"column", origin.column}}; }

ColumnOrigin ToOrigin(const Json& json) {
  return ColumnOrigin{json.at("table").get<std::string>(), json.at("column").get<std::string>()};
}

Json FromProblem(const SqlProblem& problem) {
  return Json{{"kind", problem.kind},
              {"message", problem.message},
              {"position", problem.position ? Json(*problem.position) : Json(nullptr)},
              {"candidates", problem.candidates}};
}

SqlProblem ToProblem(const Json& json) {
  SqlProblem problem;
  problem.kind = json.at("kind").get<std::string>();
  problem.message = json.at("message").get<std::string>();
  if (!json.at("position").is_null()) problem.position = json.at("position").get<std::int64_t>();
  problem.candidates = json.at("candidates").get<std::vector<std::string>>();
  return problem;
}

Json FromAnalysis(const Analysis& analysis) {
  Schema schema;
  Json lineage = Json::array();
  for (const OutputColumn& column : analysis.columns) {
    schema.fields.push_back(column.field);
    Json origins = Json::array();
    for (const ColumnOrigin& origin : column.origins) origins.push_back(FromOrigin(origin));
    lineage.push_back(Json{{"origins", std::move(origins)},
                           {"straight", column.straight ? FromOrigin(*column.straight) : Json(nullptr)}});
  }
  Json parameters = Json::object();
  for (const auto& [name, type] : analysis.parameters) parameters[name] = type.ToSql();
  return Json{{"name", analysis.name},
              {"problem", analysis.problem ? FromProblem(*analysis.problem) : Json(nullptr)},
              {"schema", SchemaToJson(schema)},
              {"lineage", std::move(lineage)},
              {"tables", analysis.tables},
              {"parameters", std::move(parameters)},
              {"partition_wise", analysis.partition_wise},
              {"partition_inputs", analysis.partition_inputs},
              {"partition_reason", analysis.partition_reason},
              {"row_wise", analysis.row_wise},
              {"keeps_every_row", analysis.keeps_every_row}};
}

Analysis ToAnalysis(const Json& json) {
  Analysis analysis;
  analysis.name = json.at("name").get<std::string>();
  if (!json.at("problem").is_null()) analysis.problem = ToProblem(json.at("problem"));
  Schema schema = Take(SchemaFromJson(json.at("schema")));
  const Json& lineage = json.at("lineage");
  if (lineage.size() != schema.fields.size()) Refuse("lineage and columns differ in number");
  for (std::size_t i = 0; i < lineage.size(); ++i) {
    OutputColumn& column = analysis.columns.emplace_back();
    column.field = std::move(schema.fields[i]);
    for (const Json& origin : lineage.at(i).at("origins")) column.origins.push_back(ToOrigin(origin));
    const Json& straight = lineage.at(i).at("straight");
    if (!straight.is_null()) column.straight = ToOrigin(straight);
  }
  analysis.tables = json.at("tables").get<std::vector<std::string>>();
  for (const auto& [name, type] : json.at("parameters").items()) {
    analysis.parameters[name] = Take(ParseType(type.get<std::string>()));
  }
  analysis.partition_wise = json.at("partition_wise").get<bool>();
  analysis.partition_inputs = json.at("partition_inputs").get<std::map<std::string, std::string>>();
  analysis.partition_reason = json.at("partition_reason").get<std::string>();
  analysis.row_wise = json.at("row_wise").get<bool>();
  analysis.keeps_every_row = json.at("keeps_every_row").get<bool>();
  return analysis;
}

Json FromResult(const AnalyzeResult& result) {
  Json queries = Json::array();
  for (const Analysis& analysis : result.queries) queries.push_back(FromAnalysis(analysis));
  return Json{{"queries", std::move(queries)}};
}

// Extract and move

constexpr std::string_view kExtractKinds[] = {"check", "discover", "read", "replay", "committed"};

Json FromJob(const ExtractJob& job) {
  return Json{{"kind", kExtractKinds[static_cast<std::size_t>(job.kind)]},
              {"connector", job.connector},
              {"request", job.request},
              {"secrets", job.secrets},
              {"read_paths", job.read_paths},
              {"write_folders", job.write_folders},
              {"network", job.network},
              {"tcp_port", job.tcp_port},
              {"staging_folder", job.staging_folder},
              {"program", job.program},
              {"program_paths", job.program_paths},
              {"program_reads", job.program_reads}};
}

ExtractJob ToExtractJob(const Json& json) {
  ExtractJob job;
  const auto kind = json.at("kind").get<std::string>();
  bool known = false;
  for (std::size_t i = 0; i < std::size(kExtractKinds); ++i) {
    if (kind != kExtractKinds[i]) continue;
    job.kind = static_cast<ExtractJob::Kind>(i);
    known = true;
  }
  if (!known) Refuse("no such kind of extract job: " + kind);
  job.connector = json.at("connector").get<std::string>();
  job.request = json.at("request").get<std::string>();
  job.secrets = json.at("secrets").get<std::map<std::string, std::string>>();
  job.read_paths = json.at("read_paths").get<std::vector<std::string>>();
  job.write_folders = json.at("write_folders").get<std::vector<std::string>>();
  job.network = json.at("network").get<bool>();
  job.tcp_port = json.at("tcp_port").get<int>();
  job.staging_folder = json.at("staging_folder").get<std::string>();
  job.program = json.at("program").get<std::string>();
  job.program_paths = json.at("program_paths").get<std::vector<std::string>>();
  job.program_reads = json.at("program_reads").get<std::vector<std::string>>();
  return job;
}

Json FromJob(const MoveJob& job) {
  Json items = Json::array();
  for (const MoveJob::Item& item : job.items) {
    items.push_back(Json{{"local_path", item.local_path}, {"key", item.key}});
  }
  return Json{{"store_url", job.store_url}, {"items", std::move(items)}};
}

MoveJob ToMoveJob(const Json& json) {
  MoveJob job;
  job.store_url = json.at("store_url").get<std::string>();
  for (const Json& item : json.at("items")) {
    job.items.push_back(MoveJob::Item{item.at("local_path").get<std::string>(), item.at("key").get<std::string>()});
  }
  return job;
}

Json FromResult(const ExtractResult& result) { return Json{{"answer", result.answer}}; }
Json FromResult(const MoveResult&) { return Json::object(); }

WorkOrder ToOrder(const Json& json) {
  WorkOrder order;
  const Json& limits = json.at("limits");
  order.limits.memory_bytes = limits.at("memory_bytes").get<std::int64_t>();
  order.limits.spill_bytes = limits.at("spill_bytes").get<std::int64_t>();
  order.limits.threads = limits.at("threads").get<int>();
  order.limits.timeout = std::chrono::milliseconds(limits.at("timeout_ms").get<std::int64_t>());
  order.temp_folder = json.at("temp_folder").get<std::string>();
  const auto kind = json.at("kind").get<std::string>();
  const Json& job = json.at("job");
  if (kind == "compute") {
    order.job = ToComputeJob(job);
  } else if (kind == "analyze") {
    order.job = ToAnalyzeJob(job);
  } else if (kind == "extract") {
    order.job = ToExtractJob(job);
  } else if (kind == "move") {
    order.job = ToMoveJob(job);
  } else {
    Refuse("no such kind of job: " + kind);
  }
  return order;
}

JobResult ToJobResult(const Json& json) {
  const auto kind = json.at("kind").get<std::string>();
  const Json& result = json.at("result");
  if (kind == "compute") return ToComputeResult(result);
  if (kind == "analyze") {
    AnalyzeResult analyzed;
    for (const Json& item : result.at("queries")) analyzed.queries.push_back(ToAnalysis(item));
    return analyzed;
  }
  if (kind == "extract") return ExtractResult{result.at("answer").get<std::string>()};
  if (kind == "move") return MoveResult{};
  Refuse("no such kind of result: " + kind);
}

constexpr std::string_view kKinds[] = {"compute", "analyze", "extract", "move"};

}  // namespace

std::string_view KindOf(const Job& job) { return kKinds[job.index()]; }

std::string OrderToJson(const WorkOrder& order) {
  return DumpJson(Json{{"kind", KindOf(order.job)},
                       {"limits",
                        {{"memory_bytes", order.limits.memory_bytes},
                         {"spill_bytes", order.limits.spill_bytes},
                         {"threads", order.limits.threads},
                         {"timeout_ms", order.limits.timeout.count()}}},
                       {"temp_folder", order.temp_folder},
                       {"job", std::visit([](const auto& job) { return FromJob(job); }, order.job)}});
}

Result<WorkOrder> OrderFromJson(std::string_view text) { return FromText(text, "work order", ToOrder); }

std::string JobResultToJson(const JobResult& result) {
  return DumpJson(Json{{"kind", kKinds[result.index()]},
                       {"result", std::visit([](const auto& each) { return FromResult(each); }, result)}});
}

Result<JobResult> JobResultFromJson(std::string_view text) { return FromText(text, "job result", ToJobResult); }

std::string ProgressToJson(const JobProgress& progress) {
  return DumpJson(Json{{"rows", progress.rows}});
}

Result<JobProgress> ProgressFromJson(std::string_view text) {
  return FromText(text, "job progress", [](const Json& json) {
    return JobProgress{json.at("rows").get<std::int64_t>(), 0, 0};
  });
}

std::string ErrorToJson(const Error& error) {
  return DumpJson(
      Json{{"kind", KindName(error.kind)}, {"message", error.message}, {"next", error.next}, {"where", error.where}});
}

Error ErrorFromJson(std::string_view text) {
  auto read = FromText(text, "job error", [](const Json& json) {
    return std::optional<Error>(Error{KindFromName(json.at("kind").get<std::string>()),
                                      json.at("message").get<std::string>(), json.at("next").get<std::string>(),
                                      json.at("where").get<std::string>()});
  });
  return read ? **std::move(read) : std::move(read).error();
}

}  // namespace caudal
