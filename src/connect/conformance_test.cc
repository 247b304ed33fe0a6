// What every registered connector does, against a real source that it starts itself. A connector without a ground below
// fails. Relation-shaped ones are followed to their SQL here; what DuckDB makes of it is tested through the worker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "connect/program.h"
#include "connect/server_process_testing.h"

namespace caudal {

// examples/connector/journal.cc, of docs/connectors/how-to-write-one.md.
void Register_journal(Registry& registry);

namespace {

/// The connectors, and the example of how to write one.
const Registry& AllConnectors() {
  static const Registry all = [] {
    Registry registry = BuiltinRegistry();
    Register_journal(registry);
    return registry;
  }();
  return all;
}

/// A source with records "1" to "5" in stream `many`, one in `one`, none in `empty`.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual SourceRequest Good(const std::string& stream) = 0;
  /// Requests that Check refuses, and what the error must name.
  virtual std::vector<std::pair<SourceRequest, std::string>> Bad() = 0;
  /// What a relation's server answers to Before.
  virtual std::vector<Rows> Answers() { return {}; }
  /// True where a relation knows without reading that nothing was written.
  virtual bool KnowsRest() { return true; }
  /// True where a read stops in the middle and goes on from its cursor.
  virtual SourceRequest InSteps() { return Good("many"); }
};

/// A folder, here or on a server; `place` is "", "sftp", "ftp" or "http".
class FilesGround final : public Ground {
 public:
  explicit FilesGround(const std::string& place) {
    for (int i = 1; i <= 5; ++i) {
      x_folder.Write("many/" + std::to_string(i) + ".ndjson", "{\"id\": " + std::to_string(i) + "}\n");
    }
    x_folder.Write("one/a.ndjson", "{\"id\": 1}\n");
    std::filesystem::create_directories(x_folder / "empty");
    x_options = Json{{"location", x_folder.path()}, {"settle", "0s"}};
    if (place.empty()) return;
    if (place == "sftp") {
      x_server = std::make_unique<ServerProcess>(std::vector<std::string>{"sftp.py"});
      const std::string home = x_server->Word(2);
      std::filesystem::copy(x_folder.path(), home + "/files", std::filesystem::copy_options::recursive);
      x_options["known_hosts"] = home + "/known_hosts";
      x_options["key_file"] = home + "/user_key";
      x_options["user"] = x_server->Word(1);
      x_options["location"] = home + "/files";
    } else if (place == "ftp") {
      x_server = std::make_unique<ServerProcess>(std::vector<std::string>{"ftp.py", x_folder.path(), "ali", "sesame"});
      x_options["user"] = "ali";
      x_options["password"] = "sesame";
      x_options["location"] = "";
      x_missing = "550";
    } else {
      x_server = std::make_unique<ServerProcess>(std::vector<std::string>{"http_folder.py", x_folder.path()});
      x_options["location"] = "";
      x_not_a_folder = "404";
    }
    x_options["location"] = place + "://127.0.0.1:" + x_server->Word(0) + x_options["location"].get<std::string>();
  }
  SourceRequest Good(const std::string& stream) override { return Of("", Json{{"glob", stream + "/*.ndjson"}}); }
  SourceRequest InSteps() override { return Of("", Json{{"glob", "many/*.ndjson"}, {"max_files", 2}}); }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override {
    return {{Of("/nowhere", Json::object()), x_missing}, {Of("/one/a.ndjson", Json::object()), x_missing == "550" ? "550" : x_not_a_folder}};
  }

 private:
  SourceRequest Of(const std::string& below, const Json& stream) const {
    SourceRequest request;
    request.stream = "s";
    Json options = x_options;
    options["location"] = options["location"].get<std::string>() + below;
    request.options = DumpJson(options);
    request.stream_options = DumpJson(stream);
    return request;
  }
  TempFolder x_folder;
  std::unique_ptr<ServerProcess> x_server;
  Json x_options;
  std::string x_missing = "nowhere";
  std::string x_not_a_folder = "a.ndjson";
};

class HttpGround final : public Ground {
 public:
  SourceRequest Good(const std::string& stream) override {
    return Of(x_server.url(), Json{{"path", stream == "many" ? "pages" : stream}});
  }
  SourceRequest InSteps() override {
    const Json since{{"type", "incremental"}, {"cursor_path", "updated_at"}};
    return Of(x_server.url(), Json{{"path", "since"}, {"params", {{"since", since}}}});
  }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override {
    return {{Of("http://127.0.0.1:1", Json::object()), "127.0.0.1:1"},
            {Of(x_server.url() + "/bearer", Json::object()), "401"},
            {Of("gopher://h", Json::object()), "gopher"}};
  }

 private:
  static SourceRequest Of(const std::string& url, const Json& endpoint) {
    SourceRequest request;
    request.stream = "s";
    request.options = DumpJson(Json{{"client", {{"base_url", url}, {"allow_private", true}}}});
    request.stream_options = DumpJson(Json{{"endpoint", endpoint}});
    return request;
  }
  TestServer x_server;
};

/// A tap of shell with a state, one run of the program at a time.
class SingerGround final : public Ground {
 public:
  SingerGround() {
    x_folder.Write("catalog", R"({"streams": [{"stream": "many", "schema": {}}, {"stream": "one", "schema": {}}, {"stream": "empty", "schema": {}}]})");
    WriteProgram("tap", "step=100; after=0\n"
                 "while [ $# -gt 0 ]; do case $1 in --discover) cat " + (x_folder / "catalog") + "; exit;;\n"
                 "--config) step=$(sed 's/[^0-9]//g' $2); shift;; --catalog) stream=$(sed -n 's/.*\"selected\":true,\"stream\":\"\\([a-z]*\\)\".*/\\1/p' $2); shift;;\n"
                 "--state) after=$(sed 's/[^0-9]//g' $2); shift;; esac; shift; done\n"
                 "case $stream in many) last=5;; one) last=1;; *) last=0;; esac\n"
                 "echo '{\"type\": \"SCHEMA\", \"stream\": \"'$stream'\", \"schema\": {}}'; end=$((after + ${step:-100}))\n"
                 "while [ $after -lt $last ] && [ $after -lt $end ]; do after=$((after + 1))\n"
                 "echo '{\"type\": \"RECORD\", \"stream\": \"'$stream'\", \"record\": {\"id\": '$after'}}'; done\n"
                 "echo '{\"type\": \"STATE\", \"value\": {\"after\": '$after'}}'\n");
    WriteProgram("broken", "echo no such key >&2; exit 2\n");
  }
  SourceRequest Good(const std::string& stream) override { return Of("tap", stream, Json::object()); }
  SourceRequest InSteps() override { return Of("tap", "many", Json{{"step", 2}}); }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override {
    return {{Of("nowhere", "many", Json::object()), "nowhere"}, {Of("broken", "many", Json::object()), "no such key"}, {Of("tap", "other", Json::object()), "other"}};
  }

 private:
  void WriteProgram(const std::string& name, const std::string& text) {
    x_folder.Write(name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(x_folder / name, std::filesystem::perms::owner_all);
  }
  SourceRequest Of(const std::string& command, const std::string& stream, const Json& config) const {
    SourceRequest request;
    request.stream = stream;
    request.options = DumpJson(Json{{"command", x_folder / command}, {"config", config}});
    request.stream_options = "{}";
    return request;
  }
  TempFolder x_folder;
};

/// A source whose program runs beside it, as the worker has it, without a sandbox.
class WithProgram final : public BytesSource {
 public:
  WithProgram(std::unique_ptr<BytesSource> source, std::string option) : x_source(std::move(source)), x_option(std::move(option)) {}
  Status Check(const SourceRequest& request) override {
    TRY(Begin(request));
    return x_source->Check(request);
  }
  Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) override {
    TRY(Begin(request));
    return x_source->Discover(request);
  }
  Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) override {
    TRY(Begin(request));
    return x_source->Read(request, sink);
  }

 private:
  Status Begin(const SourceRequest& request) {
    TRY_ASSIGN(const Json options, ParseJson(request.options, "options"));
    const std::string path = JsonString(options, x_option, "");
    TRY_ASSIGN(x_program, Program::Fork(path, std::filesystem::path(path).parent_path().string(), [](int) { return Status(); }));
    x_source->Use(x_program.get());
    return {};
  }
  std::unique_ptr<BytesSource> x_source;
  std::string x_option;
  std::unique_ptr<Program> x_program;
};

Connector WithItsProgram(Connector connector) {
  if (connector.spec.program_option.empty()) return connector;
  connector.make_bytes = [make = connector.make_bytes, option = connector.spec.program_option] { return std::make_unique<WithProgram>(make(), option); };
  return connector;
}

class SqliteGround final : public Ground {
 public:
  SqliteGround() {
    Shell("sqlite3 " + (x_folder / "a.db") +
          " 'CREATE TABLE many(id INTEGER PRIMARY KEY); CREATE TABLE one(id INTEGER); CREATE TABLE empty(id INTEGER)'");
    x_folder.Write("no.db", std::string(4096, 'x'));
  }
  SourceRequest Good(const std::string& stream) override {
    return Of("a.db", Json{{"table", stream}, {"incremental", {{"cursor", "id"}}}});
  }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override {
    return {{Of("nowhere.db", Json::object()), "nowhere.db"}, {Of("no.db", Json::object()), "no.db"}};
  }

 private:
  SourceRequest Of(const std::string& name, const Json& stream) const {
    SourceRequest request;
    request.stream = "s";
    request.options = DumpJson(Json{{"database", x_folder / name}});
    request.stream_options = DumpJson(stream);
    return request;
  }
  TempFolder x_folder;
};

class DeltaGround final : public Ground {
 public:
  DeltaGround() {
    for (const char* table : {"many", "one", "empty"}) x_folder.Write(std::string(table) + "/_delta_log/00000000000000000000.json", "{}");
    x_folder.Write("no", "a file");
  }
  SourceRequest Good(const std::string& stream) override { return Of(stream, ""); }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override {
    return {{Of("", "/nowhere"), "nowhere"}, {Of("", "/no"), "/no"}, {Of("nothing", ""), "nothing"}};
  }

 private:
  SourceRequest Of(const std::string& stream, const std::string& below) const {
    SourceRequest request;
    request.stream = stream;
    request.options = DumpJson(Json{{"location", x_folder.path() + below}});
    request.stream_options = "{}";
    return request;
  }
  TempFolder x_folder;
};

// Waiver: what a server refuses is asked of real ones in tests/connect/test_{postgres,mysql}.py; here are the answers of one.
class ServerGround : public Ground {
 public:
  explicit ServerGround(std::vector<Rows> answers) : x_answers(std::move(answers)) {}
  SourceRequest Good(const std::string& stream) override {
    SourceRequest request;
    request.stream = "s";
    request.options = R"({"host":"db","port":4321,"database":"shop","user":"reader","password":"secret"})";
    request.stream_options = DumpJson(Json{{"table", stream}, {"incremental", {{"cursor", "id"}, {"lag", "0"}}}});
    return request;
  }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override { return {}; }
  std::vector<Rows> Answers() override { return x_answers; }
  bool KnowsRest() override { return false; }

 private:
  std::vector<Rows> x_answers;
};

class JournalGround final : public Ground {
 public:
  JournalGround() {
    x_folder.Write("many.ndjson", "{\"id\": 1}\n{\"id\": 2}\n{\"id\": 3}\n{\"id\": 4}\n{\"id\": 5}\n");
    x_folder.Write("one.ndjson", "{\"id\": 1}\n");
    x_folder.Write("empty.ndjson", "");
  }
  SourceRequest Good(const std::string& stream) override { return Of(x_folder.path(), stream, "{}"); }
  SourceRequest InSteps() override { return Of(x_folder.path(), "many", R"({"max_bytes": 20})"); }
  std::vector<std::pair<SourceRequest, std::string>> Bad() override { return {{Of(x_folder / "nowhere", "many", "{}"), "nowhere"}}; }

 private:
  static SourceRequest Of(const std::string& folder, const std::string& stream, const std::string& options) {
    SourceRequest request;
    request.stream = stream;
    request.options = DumpJson(Json{{"folder", folder}});
    request.stream_options = options;
    return request;
  }
  TempFolder x_folder;
};

Rows OneRow(std::vector<Cell> cells) {
  Rows rows;
  rows.rows.push_back(std::move(cells));
  return rows;
}

std::unique_ptr<Ground> MakeGround(const std::string& connector) {
  if (connector == "delta") return std::make_unique<DeltaGround>();
  if (connector == "files") return std::make_unique<FilesGround>("");
  if (connector.starts_with("files_")) return std::make_unique<FilesGround>(connector.substr(6));
  if (connector == "http") return std::make_unique<HttpGround>();
  if (connector == "journal") return std::make_unique<JournalGround>();
  if (connector == "singer") return std::make_unique<SingerGround>();
  if (connector == "sqlite") return std::make_unique<SqliteGround>();
  if (connector == "postgres") {
    return std::make_unique<ServerGround>(std::vector<Rows>{
        OneRow({"700", "701", "false", "true", "2026-01-01 00:00:00+00"}),
        OneRow({"16385", "r", "true", "0", "many", "id", "int8", "", {}, "-1", "0", "false", "true", "1", "true"})});
  }
  if (connector == "mysql") {
    return std::make_unique<ServerGround>(std::vector<Rows>{OneRow({"2026-01-01 00:00:00.000000", {}}),
                                                            OneRow({"many", "id", "int", "int(11)", {}, "10", "0", "1"})});
  }
  return nullptr;
}

/// "files_sftp" is `files` on an SFTP server.
std::string ConnectorOf(const std::string& ground) { return ground.substr(0, ground.find('_')); }

class Conformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ground = MakeGround(GetParam());
    ASSERT_NE(ground, nullptr) << "write a Ground for " << GetParam();
  }
  bool bytes() const { return connector.make_bytes != nullptr; }
  Result<RelationRead> ReadOf(RelationSource& source, const SourceRequest& request) {
    TRY_ASSIGN(const std::vector<RelationQuestion> questions, source.Before(request));
    const std::vector<Rows> answers = ground->Answers();
    EXPECT_EQ(questions.size(), answers.size());
    if (!answers.empty()) TRY(source.Learn(request, answers));
    return source.Read(request);
  }
  /// The ids in a read's records.
  static std::multiset<std::string> Ids(const ReadDone& done) {
    std::multiset<std::string> ids;
    const std::string records = done.Records();
    for (std::size_t at = 0; (at = records.find("\"id\": ", at)) != std::string::npos; at += 6) ids.insert(records.substr(at + 6, 1));
    return ids;
  }
  const std::multiset<std::string> all{"1", "2", "3", "4", "5"};
  const Connector connector = WithItsProgram(**AllConnectors().Find(ConnectorOf(GetParam())));
  std::unique_ptr<Ground> ground;
};

TEST_P(Conformance, SaysWhatItIs) {
  EXPECT_EQ(connector.spec.name, ConnectorOf(GetParam()));
  EXPECT_FALSE(connector.spec.summary.empty());
  EXPECT_FALSE(connector.spec.delivery.empty());
  for (const auto* options : {&connector.spec.options, &connector.spec.stream_options}) {
    for (const OptionSpec& option : *options) EXPECT_FALSE(option.description.empty()) << option.name;
  }
}

TEST_P(Conformance, ChecksGoodAndBad) {
  const auto check = [&](const SourceRequest& request) -> Status {
    if (bytes()) return connector.make_bytes()->Check(request);
    const auto question = connector.make_relation()->Check(request);
    return question ? Status() : Status(question.error());
  };
  EXPECT_TRUE(check(ground->Good("many")));
  for (const auto& [request, named] : ground->Bad()) {
    const Status status = check(request);
    ASSERT_FALSE(status) << named;
    EXPECT_NE(status.error().kind, ErrorKind::kInternal);
    EXPECT_THAT(status.error().message, ::testing::HasSubstr(named));
  }
}

TEST_P(Conformance, DiscoversWhatItSays) {
  if (bytes()) {
    const auto offers = connector.make_bytes()->Discover(ground->Good(""));
    ASSERT_TRUE(offers);
    EXPECT_EQ(!offers->empty(), connector.spec.discovers);
  } else {
    const auto question = connector.make_relation()->Discover(ground->Good(""));
    ASSERT_TRUE(question);
    EXPECT_FALSE(question->sql.empty());
  }
}

TEST_P(Conformance, ReadsAllOneAndNone) {
  if (!bytes()) {
    for (const char* stream : {"many", "one", "empty"}) {
      const auto read = ReadOf(*connector.make_relation(), ground->Good(stream));
      ASSERT_TRUE(read);
      EXPECT_THAT(read->sql, ::testing::HasSubstr(stream));
      EXPECT_FALSE(read->unchanged);
    }
    return;
  }
  const ReadDone many = ReadFrom(connector, ground->Good("many"));
  ASSERT_TRUE(many.read) << many.read.error().message;
  EXPECT_EQ(Ids(many), all);
  EXPECT_EQ(many.rows(), 5);
  EXPECT_EQ(ReadFrom(connector, ground->Good("one")).rows(), 1);
  const ReadDone none = ReadFrom(connector, ground->Good("empty"));
  ASSERT_TRUE(none.read) << none.read.error().message;
  EXPECT_TRUE(none.read->unchanged);
  EXPECT_TRUE(none.read->chunks.empty());
}

TEST_P(Conformance, ResumesFromEveryCursor) {
  if (!bytes()) {
    const auto source = connector.make_relation();
    SourceRequest request = ground->Good("many");
    ASSERT_TRUE(ReadOf(*source, request));
    const auto outcome = source->Cursor(request, Cell("3"));
    ASSERT_TRUE(outcome);
    request.cursor = outcome->cursor;
    const auto again = ReadOf(*connector.make_relation(), request);
    // In the server's words, a literal within a literal, or DuckDB's.
    if (connector.spec.incremental) {
      EXPECT_THAT(again->sql, ::testing::AnyOf(::testing::HasSubstr(">= '3'"), ::testing::HasSubstr(">= 3 - 0")));
    }
    EXPECT_EQ(again->unchanged, ground->KnowsRest());
    return;
  }
  std::multiset<std::string> seen;
  std::vector<std::string> cursors{""};
  SourceRequest request = ground->InSteps();
  for (int step = 0; step < 10; ++step) {
    request.cursor = cursors.back();
    const ReadDone done = ReadFrom(connector, request);
    ASSERT_TRUE(done.read) << done.read.error().message;
    if (done.read->unchanged) break;
    ASSERT_NE(done.read->cursor, cursors.back());
    cursors.push_back(done.read->cursor);
    for (const std::string& id : Ids(done)) seen.insert(id);
  }
  for (const std::string& id : all) EXPECT_EQ(seen.count(id) > 0, true) << id;
  ASSERT_LT(cursors.size(), 10U) << "a source at rest becomes unchanged";
  // A cursor gives the same rows whenever it is asked: a killed read is repeated, nothing is skipped.
  for (const std::string& cursor : cursors) {
    request.cursor = cursor;
    EXPECT_EQ(ReadFrom(connector, request).Records(), ReadFrom(connector, request).Records());
  }
}

TEST_P(Conformance, StopsWhenItIsCancelled) {
  if (!bytes()) return;  // the worker is killed; a relation's read has no loop of its own
  for (const int after : {0, 1, 2, 3}) {
    int asked = 0;
    const ReadDone done = ReadFrom(connector, ground->Good("many"), [&] { return asked++ >= after; });
    ASSERT_FALSE(done.read) << after;
    EXPECT_EQ(done.read.error().kind, ErrorKind::kCancelled);
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const ConnectorSpec& spec : AllConnectors().Specs()) names.push_back(spec.name);
  for (const char* place : {"sftp", "ftp", "http"}) names.push_back(std::string("files_") + place);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Connectors, Conformance, ::testing::ValuesIn(Names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace caudal
