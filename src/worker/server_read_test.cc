// Connectors of database servers in a confined worker, against real servers: discovery, which no verb shows yet.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/source_testing.h"
#include "engine/engine.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// tests/servers/<name>.py as a process of its own; ends with this object.
class DatabaseServer {
 public:
  explicit DatabaseServer(const std::string& name) {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    x_pid = ::fork();
    if (x_pid == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      const std::string script = TreeFolder() + "/tests/servers/" + name + ".py";
      ::execlp("python3", "python3", script.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    x_stdin = in[1];
    std::FILE* answer = ::fdopen(out[0], "r");
    char password[64] = {};
    if (std::fscanf(answer, "%d %63s", &x_port, password) != 2) x_port = 0;
    x_password = password;
    std::fclose(answer);
  }
  ~DatabaseServer() {
    ::close(x_stdin);
    ::waitpid(x_pid, nullptr, 0);
  }
  DatabaseServer(const DatabaseServer&) = delete;
  DatabaseServer& operator=(const DatabaseServer&) = delete;
  bool runs() const { return x_port != 0; }
  int port() const { return x_port; }
  const std::string& password() const { return x_password; }
  std::string port_text() const { return std::to_string(x_port); }

 private:
  pid_t x_pid = 0;
  int x_stdin = -1;
  int x_port = 0;
  std::string x_password;
};

class ServerRead : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CAUDAL_BINARY") == nullptr) GTEST_SKIP() << "CAUDAL_BINARY is not set; CTest sets it";
  }
  Result<std::vector<StreamOffer>> Discover(const std::string& connector, const DatabaseServer& server, const std::string& database,
                                            const std::string& user, int tcp_port) {
    TRY_ASSIGN(const auto pool, MakeWorkerPool(PoolOptions{std::getenv("CAUDAL_BINARY"), 1, folder / "tmp", true}));
    SourceRequest request;
    request.source = "shop";
    request.project_folder = folder.path();
    request.options = DumpJson(Json{{"host", "127.0.0.1"}, {"port", server.port()}, {"database", database}, {"user", user}});
    ExtractJob job;
    job.kind = ExtractJob::Kind::kDiscover;
    job.connector = connector;
    job.request = SourceRequestToJson(request);
    job.secrets = {{"password", server.password()}};
    job.network = true;
    job.tcp_port = tcp_port;
    TRY_ASSIGN(const ExtractResult answer, RunExtract(*pool, job, RunOptions{}, nullptr));
    return StreamOffersFromJson(answer.answer);
  }
  static int Elsewhere(int port) { return port == 5432 ? 5433 : 5432; }

  const TempFolder folder;
};

TEST_F(ServerRead, PostgresOffersTablesKeysCursorsAndRows) {
  const DatabaseServer server("postgres");
  if (!server.runs()) GTEST_SKIP() << "PostgreSQL is not installed (Debian: postgresql-15)";
  const auto sql = [&](const std::string& text) {
    Shell("PGPASSWORD=" + server.password() + " psql -h 127.0.0.1 -p " + server.port_text() + " -U postgres -v ON_ERROR_STOP=1 -Xq -c \"" + text + "\"");
  };
  sql("CREATE TABLE lines (line int, \\\"order\\\" bigint, price numeric(10,2), at timestamptz, PRIMARY KEY (\\\"order\\\", line)); "
      "INSERT INTO lines SELECT g, 1, 2.5, now() FROM generate_series(1, 30) AS g; CREATE SCHEMA other; "
      "CREATE TABLE other.notes (words text[], kept json); CREATE VIEW seen AS SELECT line FROM lines");
  sql("ANALYZE lines");
  const auto offers = Discover("postgres", server, "postgres", "postgres", server.port());
  ASSERT_TRUE(offers) << offers.error().message;
  ASSERT_EQ(offers->size(), 3U);
  const StreamOffer& notes = (*offers)[0];
  EXPECT_EQ(notes.name, "other.notes");
  EXPECT_EQ(notes.schema, "other");
  EXPECT_EQ(notes.table, "notes");
  EXPECT_EQ(notes.columns.fields[0].type.ToSql(), "VARCHAR[]");
  const StreamOffer& lines = (*offers)[1];
  EXPECT_EQ(lines.name, "lines");
  EXPECT_THAT(lines.key, ElementsAre("order", "line"));
  EXPECT_THAT(lines.cursor_candidates, ElementsAre("line", "order", "at"));
  EXPECT_EQ(lines.rows_estimate, 30);
  EXPECT_EQ(lines.columns.Find("price")->type.ToSql(), "DECIMAL(10,2)");
  EXPECT_EQ((*offers)[2].name, "seen");

  // The sandbox holds the worker to the port.
  const auto elsewhere = Discover("postgres", server, "postgres", "postgres", Elsewhere(server.port()));
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("Permission denied"));
}

TEST_F(ServerRead, MysqlOffersTablesKeysCursorsAndRows) {
  const DatabaseServer server("mariadb");
  if (!server.runs()) GTEST_SKIP() << "MariaDB is not installed (Debian: mariadb-server-core)";
  Shell("MYSQL_PWD=" + server.password() + " mariadb --no-defaults -h 127.0.0.1 -P " + server.port_text() + " -u root -e \"" +
        "CREATE DATABASE shop; USE shop; CREATE TABLE parts (line int, \\`order\\` bigint unsigned, price decimal(10,2), at timestamp(6), PRIMARY KEY (\\`order\\`, line)); "
        "INSERT INTO parts SELECT seq, 1, 2.5, now() FROM seq_1_to_30; ANALYZE TABLE parts; CREATE VIEW seen AS SELECT line FROM parts; "
        "CREATE DATABASE other; CREATE TABLE other.notes (kept json, at datetime)\"");
  const auto offers = Discover("mysql", server, "shop", "root", server.port());
  ASSERT_TRUE(offers) << offers.error().message;
  ASSERT_EQ(offers->size(), 3U);
  EXPECT_EQ((*offers)[0].name, "other.notes");
  EXPECT_EQ((*offers)[0].columns.fields[0].type.ToSql(), "VARCHAR");
  EXPECT_THAT((*offers)[0].cursor_candidates, ElementsAre("at"));
  const StreamOffer& parts = (*offers)[1];
  EXPECT_EQ(parts.name, "parts");
  EXPECT_THAT(parts.key, ElementsAre("order", "line"));
  EXPECT_THAT(parts.cursor_candidates, ElementsAre("line", "order", "at"));
  EXPECT_EQ(parts.rows_estimate, 30);
  EXPECT_EQ(parts.columns.Find("price")->type.ToSql(), "DECIMAL(10,2)");
  EXPECT_EQ(parts.columns.Find("order")->type.ToSql(), "DECIMAL(20,0)");
  EXPECT_EQ((*offers)[2].name, "seen");

  const auto elsewhere = Discover("mysql", server, "shop", "root", Elsewhere(server.port()));
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("may not open port"));
}

}  // namespace
}  // namespace caudal
