"""The postgres connector against a real server: load, increment, replace, restart, kill, what is wrong named."""
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

import postgres_shop as ps

MERGE = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"
ORDERS = """CREATE TABLE orders (id int PRIMARY KEY, item text, price numeric(10,2), updated_at timestamptz NOT NULL DEFAULT now());
INSERT INTO orders SELECT g, 'item ' || g, g / 4.0, '2026-01-01' FROM generate_series(1, 500) AS g;
GRANT SELECT ON orders TO reader;
"""


def make_server(test):
    server = ps.postgres.Server()
    test.addClassCleanup(server.close)
    test.server, test.password = server, "pa'ss w\\rd %20"
    quoted = test.password.replace("'", "''")
    server.sql(f"CREATE DATABASE shop; CREATE ROLE reader LOGIN PASSWORD '{quoted}'; GRANT pg_read_all_stats TO reader;")
    return server


class PostgresTest(unittest.TestCase):
    def setUp(self):
        if not self.server.sql("SELECT 1 FROM pg_database WHERE datname = 'shop'"):
            self.server.sql("CREATE DATABASE shop")
        self.sql(ORDERS)
        self.project = ps.Project(self.password)
        self.addCleanup(self.project.remove)
        self.addCleanup(lambda: self.server.sql("DROP DATABASE shop WITH (FORCE)"))

    def sql(self, text):
        return self.server.sql(text, "shop")

    def assert_same(self, table, columns="id, item, price"):
        """The lake's table holds exactly the server's rows."""
        expected = [line.split("|") for line in self.sql(f"SELECT {columns} FROM {table} ORDER BY 1").splitlines()]
        self.assertEqual(self.project.rows(f"SELECT {columns} FROM shop.{table} ORDER BY 1"), expected)


@unittest.skipIf(ps.postgres.REASON, ps.postgres.REASON)
class Reading(PostgresTest):
    @classmethod
    def setUpClass(cls):
        make_server(cls)

    def test_loads_then_takes_what_is_new_and_leaves_deletes_out(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("connection", "test")
        self.project.ok("run")
        self.assert_same("orders")
        out = self.project.ok("run")
        self.assertIn("0 succeeded, 1 unchanged", out)
        self.sql("UPDATE orders SET item = 'new', updated_at = now() WHERE id <= 3; INSERT INTO orders VALUES (501, 'late', NULL);")
        self.project.ok("run")
        self.assert_same("orders")
        # Only those that are at or above the cursor came: four new ones, and the rest of its value.
        self.sql("INSERT INTO orders SELECT g, 'x', 1, now() FROM generate_series(502, 510) AS g")
        self.project.ok("run")
        self.assertLess(self.project.last_task("shop.orders")["rows_read"], 20)
        self.sql("DELETE FROM orders WHERE id = 7; UPDATE orders SET item = 'y', updated_at = now() WHERE id = 8")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT id, item FROM shop.orders WHERE id IN (7, 8) ORDER BY id"), [["7", "item 7"], ["8", "y"]])

    def test_replace_holds_what_the_table_holds_now(self):
        self.project.source(self.server, {"orders": "{write_disposition: replace, select: [id, item, price]}"})
        self.project.ok("run")
        self.sql("DELETE FROM orders WHERE id > 3")
        self.project.ok("run")
        self.assert_same("orders")
        self.sql("DELETE FROM orders")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*) FROM shop.orders"), [["0"]])

    def test_reads_views_queries_other_schemas_and_strange_names(self):
        self.sql('''CREATE VIEW dear AS SELECT id, price FROM orders WHERE price > 124;
            CREATE SCHEMA "Other One"; CREATE TABLE "Other One"."Order ""Lines""" (id int, "Qty" int); INSERT INTO "Other One"."Order ""Lines""" VALUES (1, 2);
            CREATE TABLE "ORDERS" (id int); INSERT INTO "ORDERS" VALUES (99);
            CREATE TABLE days (id int, day int) PARTITION BY RANGE (day);
            CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10); CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20);
            INSERT INTO days VALUES (1, 1), (2, 11);
            GRANT USAGE ON SCHEMA "Other One" TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, "Other One" TO reader;''')
        self.project.source(self.server, {
            "dear": "{write_disposition: replace}",
            "lines": "{write_disposition: replace, schema: Other One, table: 'Order \"Lines\"'}",
            "upper": "{write_disposition: replace, table: ORDERS}",
            "lower": "{write_disposition: replace, table: orders}",
            "days": "{write_disposition: replace}",
            "summed": "{write_disposition: replace, query: \"SELECT count(*) AS n, sum(price)::numeric(12,2) AS total, 'it''s' AS word FROM orders\"}"})
        self.project.ok("connection", "test")
        self.project.ok("run")
        self.assert_same("dear", "id, price")
        self.assert_same("days", "id, day")
        self.assertEqual(self.project.rows('SELECT id, "Qty" FROM shop.lines'), [["1", "2"]])
        self.assertEqual(self.project.rows("SELECT id FROM shop.upper"), [["99"]])
        self.assertEqual(self.project.rows("SELECT count(*) FROM shop.lower"), [["500"]])
        self.assertEqual(self.project.rows("SELECT n, total, word FROM shop.summed"), [["500", "31312.50", "it's"]])

    def test_a_schema_that_changes_between_two_runs(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.sql("ALTER TABLE orders ADD COLUMN colour text; UPDATE orders SET colour = 'red', updated_at = now() WHERE id = 1")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT id, colour FROM shop.orders WHERE id < 3 ORDER BY 1"), [["1", "red"], ["2", ""]])
        self.sql("ALTER TABLE orders DROP COLUMN item; UPDATE orders SET price = 0, updated_at = now() WHERE id = 2")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT id, price, colour FROM shop.orders WHERE id < 3 ORDER BY 1"), [["1", "0.25", "red"], ["2", "0.00", ""]])

    def test_the_server_goes_and_comes_back(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.server.stop()
        try:
            gone = self.project.caudal("run")
            self.assertNotEqual(gone.returncode, 0)
            self.assertIn(f"nothing listens on port {self.server.port} of 127.0.0.1", gone.stdout)
        finally:
            self.server.start()
        self.sql("INSERT INTO orders VALUES (600, 'after', 1)")
        self.project.ok("retry")
        self.assert_same("orders")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_a_killed_worker_loses_nothing_and_doubles_nothing(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        for call, nth in (("connect", 1), ("sendto", 20), ("recvfrom", 30), ("recvfrom", 60), ("fsync", 1)):
            # The thread that makes this call for the n-th time dies with its process: a worker, or the command itself. How the calls fall
            # on the threads differs from run to run: where none makes so many, the run ends well, and the next one dies earlier.
            killed = False
            while not killed and nth > 0:
                self.sql("INSERT INTO orders SELECT max(id) + g, 'more', 1, now() FROM orders, generate_series(1, 2000) AS g GROUP BY g")
                before = self.project.rows("SELECT count(*) FROM shop.orders")
                done = self.project.caudal("run", "--no-retry", prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                                                        "-e", f"inject={call}:signal=KILL:when={nth}"])
                killed = done.returncode == -signal.SIGKILL or "killed by SIGKILL" in done.stdout + done.stderr
                if killed:
                    self.assertEqual(self.project.rows("SELECT count(*) FROM shop.orders"), before)
                else:
                    self.assertEqual(done.returncode, 0, (call, nth, done.stdout))
                nth //= 2
            self.assertTrue(killed, call)
        self.project.ok("retry")
        self.assert_same("orders")
        self.project.ok("doctor")

    @unittest.skipIf(os.environ.get("CAUDAL_PRESET") in ("asan", "tsan"), "a sanitizer takes memory of its own")
    def test_a_million_rows_in_bounded_memory(self):
        self.sql("""CREATE TABLE big AS SELECT g AS id, md5(g::text) AS a, g * 2.5 AS b, (g % 1000)::numeric(12,2) AS c, now() AS updated_at,
            repeat('x', g % 200) AS d, g % 2 = 0 AS e FROM generate_series(1, 1000000) AS g; GRANT SELECT ON big TO reader;
            CREATE TABLE scanned AS SELECT id, a, d, e FROM big; GRANT SELECT ON scanned TO reader""")
        self.project.source(self.server, {"big": "{write_disposition: replace}", "scanned": "{write_disposition: replace}"})
        self.project.ok("run")
        for table in ("big", "scanned"):
            self.assertEqual(self.project.rows(f"SELECT count(*), count(DISTINCT id), sum(id) FROM shop.{table}"), [["1000000", "1000000", "500000500000"]])
            peak = self.project.last_task(f"shop.{table}")["peak_memory_bytes"]
            self.assertGreater(peak, 0)
            self.assertLessEqual(peak, 300_000_000, table)

    def test_the_table_is_built_anew_from_its_raw_objects(self):
        self.sql("ALTER TABLE orders ADD COLUMN tags int[], ADD COLUMN b bytea; UPDATE orders SET tags = ARRAY[id, NULL], b = '\\x00ff'")
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.sql("UPDATE orders SET price = 99, updated_at = now() WHERE id = 3")
        self.project.ok("run")
        values = "SELECT * FROM shop.orders ORDER BY id"
        rows = self.project.rows(values)
        self.project.ok("backfill", "shop.orders", "--from-raw")
        self.assertEqual(self.project.rows(values), rows)
        self.sql("UPDATE orders SET price = 100, updated_at = now() WHERE id = 4")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT price FROM shop.orders WHERE id IN (3, 4) ORDER BY id"), [["99.00"], ["100.00"]])

    def test_a_run_reads_one_snapshot(self):
        self.sql("CREATE TABLE pairs AS SELECT g AS id, 0 AS n, repeat('x', 500) AS t FROM generate_series(1, 60000) AS g; GRANT SELECT ON pairs TO reader")
        self.project.source(self.server, {"pairs": "{write_disposition: replace}"})
        writer = subprocess.Popen(["psql", *ps.postgres.psql_words(self.server, "shop", "postgres")], stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.DEVNULL, env={**os.environ, "PGPASSWORD": self.server.password})
        writer.stdin.write("UPDATE pairs SET n = n + 1;\n" * 8)
        writer.stdin.flush()
        self.project.ok("run")
        writer.stdin.close()
        writer.wait(60)
        self.assertEqual(self.project.rows("SELECT count(*), count(DISTINCT n) FROM shop.pairs"), [["60000", "1"]])

    def test_the_session_cannot_write(self):
        self.sql("CREATE FUNCTION burn() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1'; GRANT DELETE ON orders TO reader")
        self.project.source(self.server, {"orders": "{write_disposition: replace, query: 'SELECT burn() AS n'}"})
        done = self.project.caudal("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("read-only transaction", done.stdout)
        self.assertEqual(self.sql("SELECT count(*) FROM orders"), "500")

    def test_no_password_anywhere(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.project.source(self.server, {"orders": MERGE}, database="nowhere")
        outs = self.project.caudal("run"), self.project.caudal("connection", "test", "--output", "json"), self.project.caudal("history", "--output", "json")
        self.assertFalse([out for out in outs if self.password in out.stdout + out.stderr])
        for at, _, files in os.walk(self.project.folder):
            for name in files:
                with open(os.path.join(at, name), "rb") as f:
                    self.assertNotIn(self.password.encode(), f.read(), os.path.join(at, name))
        self.assertNotIn(self.password, self.server.log().replace("''", "'").split("CREATE DATABASE shop", 1)[-1].split("\n", 2)[-1])


# What is wrong, what is done about it, and what the error names.
WRONG = [
    ("host that has no name", {"host": "nowhere.invalid"}, {}, "the host nowhere.invalid has no address"),
    ("port", {"port": "closed"}, {}, "nothing listens on port"),
    ("password", {"password": "${WRONG}"}, {}, "refuses user reader with this password"),
    ("user", {"user": "nobody"}, {}, "refuses user nobody with this password"),
    ("no password", {"password": None}, {}, "wants a password for user reader"),
    ("database", {"database": "shopp"}, {}, "the server has no database shopp"),
    ("TLS that is not there", {"sslmode": "require"}, {}, "the server has no TLS"),
    ("right to the database", {"database": "closed"}, {}, "has no right to connect to database closed"),
    ("table", {}, {"ordrs": "{write_disposition: replace}"}, "no table public.ordrs"),
    ("schema", {"schema": "elsewhere"}, {}, "no table elsewhere.orders"),
    ("right to the table", {}, {"hidden": "{write_disposition: replace}"}, "no right to read public.hidden"),
    ("right to the schema", {}, {"t": "{write_disposition: replace, schema: locked}"}, "no right to use the schema locked"),
    ("cursor column", {}, {"orders": "{write_disposition: merge, primary_key: id, incremental: {cursor: changed}}"}, "no column 'changed', which `incremental:`"),
    ("selected column", {}, {"orders": "{write_disposition: replace, select: [id, colour]}"}, "no column 'colour', which `select:`"),
    ("query", {}, {"orders": "{write_disposition: replace, query: 'SELECT nothing FROM orders'}"}, 'column "nothing" does not exist'),
    ("cursor of a view", {}, {"seen": "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"}, "commit late"),
]


@unittest.skipIf(ps.postgres.REASON, ps.postgres.REASON)
class Wrong(PostgresTest):
    @classmethod
    def setUpClass(cls):
        make_server(cls)
        cls.server.sql("CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM public")

    def test_the_check_says_which_part_is_wrong(self):
        self.sql("""CREATE TABLE hidden (id int); CREATE SCHEMA locked; CREATE TABLE locked.t (id int);
            CREATE VIEW seen AS SELECT * FROM orders; GRANT SELECT ON seen TO reader""")
        os.environ["WRONG"] = "xyz-wrong"
        self.addCleanup(os.environ.pop, "WRONG")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            closed = s.getsockname()[1]
        for name, options, streams, says in WRONG:
            with self.subTest(wrong=name):
                options = {word: closed if value == "closed" and word == "port" else value for word, value in options.items()}
                self.project.source(self.server, streams or {"orders": "{write_disposition: replace}"}, **options)
                for words in (["connection", "test"], ["run"]):
                    done = self.project.caudal(*words)
                    self.assertNotEqual(done.returncode, 0, done.stdout)
                    self.assertIn(says, done.stdout + done.stderr)
                    self.assertIn("next: ", done.stdout + done.stderr)
                    self.assertNotIn("xyz-wrong", done.stdout + done.stderr)

    def test_a_statement_takes_too_long(self):
        self.project.source(self.server, {"slow": "{write_disposition: replace, query: 'SELECT id, pg_sleep(0.1)::text AS s FROM orders'}"}, statement_timeout="1s")
        started = time.monotonic()
        done = self.project.caudal("run")
        self.assertIn("longer than `statement_timeout:`", done.stdout)
        self.assertLess(time.monotonic() - started, 40)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_tls_by_its_modes(self):
        folder = self.project.path("tls")
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        words = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-x509"]
        for name in ("server", "other"):
            subprocess.run(["openssl", "req", *words, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                            f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"], check=True, capture_output=True)
        for name in ("server.key", "server.pem"):
            target = os.path.join(self.server.data, name)
            shutil.copy(os.path.join(folder, name), target)
            owner = os.stat(self.server.data)
            os.chown(target, owner.st_uid, owner.st_gid)
            os.chmod(target, 0o600)
        for setting in ("ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"):
            self.sql(f"ALTER SYSTEM SET {setting}")
        self.server.stop()
        self.server.start()
        self.addCleanup(self.sql, "ALTER SYSTEM RESET ALL")
        cases = [("127.0.0.1", "require", None, "OK"), ("localhost", "verify-full", "server.pem", "OK"), ("127.0.0.1", "verify-ca", "server.pem", "OK"),
                 ("127.0.0.1", "verify-full", "server.pem", "TLS: the server's certificate is for another name than 127.0.0.1"),
                 ("localhost", "verify-ca", "other.pem", "TLS: the server's certificate is not signed by an authority of `sslrootcert:`"),
                 ("localhost", "verify-ca", "missing.pem", "needs the file of the certificate authority, and it cannot be read")]
        for host, mode, authority, says in cases:
            with self.subTest(host=host, mode=mode, authority=authority):
                self.project.source(self.server, {"orders": "{write_disposition: replace}"}, host=host, sslmode=mode,
                                    sslrootcert=authority and f"tls/{authority}")
                self.assertIn(says, self.project.caudal("connection", "test").stdout)

    def test_plain_text_passwords_and_bad_words_are_refused_before_anything_runs(self):
        for options, says in (({"password": "plain"}, "password"), ({"sslmode": "maybe"}, "sslmode"), ({"port": 99999}, "port"),
                              ({"sslmode": "verify-full"}, "sslrootcert")):
            self.project.source(self.server, {"orders": MERGE}, **options)
            done = self.project.caudal("validate")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
