// The postgres connector in a confined worker, against a real server: discovery, which no verb shows yet.
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

/// tests/servers/postgres.py as a process of its own; ends with this object.
class PostgresServer {
 public:
  PostgresServer() {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    x_pid = ::fork();
    if (x_pid == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      const std::string script = TreeFolder() + "/tests/servers/postgres.py";
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
  ~PostgresServer() {
    ::close(x_stdin);
    ::waitpid(x_pid, nullptr, 0);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  bool runs() const { return x_port != 0; }
  int port() const { return x_port; }
  const std::string& password() const { return x_password; }
  void Sql(const std::string& sql) const {
    Shell("PGPASSWORD=" + x_password + " psql -h 127.0.0.1 -p " + std::to_string(x_port) + " -U postgres -v ON_ERROR_STOP=1 -Xq -c \"" + sql + "\"");
  }

 private:
  pid_t x_pid = 0;
  int x_stdin = -1;
  int x_port = 0;
  std::string x_password;
};

TEST(PostgresRead, AConfinedWorkerDiscoversTablesKeysCursorsAndRows) {
  if (std::getenv("CAUDAL_BINARY") == nullptr) GTEST_SKIP() << "CAUDAL_BINARY is not set; CTest sets it";
  const PostgresServer server;
  if (!server.runs()) GTEST_SKIP() << "PostgreSQL is not installed (Debian: postgresql-15)";
  server.Sql("CREATE TABLE lines (line int, \\\"order\\\" bigint, price numeric(10,2), at timestamptz, PRIMARY KEY (\\\"order\\\", line)); "
             "INSERT INTO lines SELECT g, 1, 2.5, now() FROM generate_series(1, 30) AS g; CREATE SCHEMA other; "
             "CREATE TABLE other.notes (words text[], kept json); CREATE VIEW seen AS SELECT line FROM lines");
  server.Sql("ANALYZE lines");
  const TempFolder folder;
  const auto pool = MakeWorkerPool(PoolOptions{std::getenv("CAUDAL_BINARY"), 1, folder / "tmp", true});
  ASSERT_TRUE(pool) << pool.error().message;
  SourceRequest request;
  request.source = "shop";
  request.project_folder = folder.path();
  request.options = DumpJson(Json{{"host", "127.0.0.1"}, {"port", server.port()}, {"database", "postgres"}, {"user", "postgres"}});
  ExtractJob job;
  job.kind = ExtractJob::Kind::kDiscover;
  job.connector = "postgres";
  job.request = SourceRequestToJson(request);
  job.secrets = {{"password", server.password()}};
  job.network = true;
  job.tcp_port = server.port();
  const auto answer = RunExtract(**pool, job, RunOptions{}, nullptr);
  ASSERT_TRUE(answer) << answer.error().ToString();
  const auto offers = StreamOffersFromJson(answer->answer);
  ASSERT_TRUE(offers) << offers.error().message;
  ASSERT_EQ(offers->size(), 3U);
  const StreamOffer& notes = (*offers)[0];
  EXPECT_EQ(notes.name, "other.notes");
  EXPECT_EQ(notes.columns.fields[0].type.ToSql(), "VARCHAR[]");
  const StreamOffer& lines = (*offers)[1];
  EXPECT_EQ(lines.name, "lines");
  EXPECT_THAT(lines.key, ElementsAre("order", "line"));
  EXPECT_THAT(lines.cursor_candidates, ElementsAre("line", "order", "at"));
  EXPECT_EQ(lines.rows_estimate, 30);
  EXPECT_EQ(lines.columns.Find("price")->type.ToSql(), "DECIMAL(10,2)");
  EXPECT_EQ((*offers)[2].name, "seen");

  // The sandbox holds the worker to the port.
  job.tcp_port = server.port() == 5432 ? 5433 : 5432;
  const auto elsewhere = RunExtract(**pool, job, RunOptions{}, nullptr);
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace caudal
