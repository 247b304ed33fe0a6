"""What every connector of a database server does, against a real one: the cases that test_postgres.py and test_mysql.py share. The SQL
here is understood by both servers; what differs comes from the class that is tested."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from database_project import Project

PASSWORD = "pa'ss w\\rd %20"
MERGE = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"
REPLACE = "{write_disposition: replace}"


class ServerTest(unittest.TestCase):
    """A subclass has `kind`, `server` with a database `shop`, whom `reader` with PASSWORD may read, and:

    sql(text) -> values of each row between |, rows by lines    series(from, to) -> a FROM item with one column g
    make_shop(), drop_shop(): the database with 500 orders, 'item 1' and so on, of 2026-01-01."""

    def setUp(self):
        self.addCleanup(self.drop_shop)
        self.make_shop()
        self.project = Project(self.kind, PASSWORD)
        self.addCleanup(lambda: self.project.remove())

    def assert_same(self, table, columns="id, item, price"):
        """The lake's table holds exactly the server's rows."""
        expected = [line.split("|") for line in self.sql(f"SELECT {columns} FROM {table} ORDER BY 1").splitlines()]
        self.assertEqual(self.project.rows(f"SELECT {columns} FROM shop.{table} ORDER BY 1"), expected)

    def counts(self, table, what="count(*)"):
        return self.project.rows(f"SELECT {what} FROM shop.{table}")[0]


class ReadingCases:
    nothing_listens = "nothing listens on port {} of 127.0.0.1"
    # System calls of a read's worker, and at which of them it is killed.
    deaths = (("connect", 1), ("sendto", 20), ("recvfrom", 30), ("recvfrom", 60), ("fsync", 1))

    def test_loads_then_takes_what_is_new_and_leaves_deletes_out(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("connection", "test")
        self.project.ok("run")
        self.assert_same("orders")
        out = self.project.ok("run")
        self.assertIn("0 succeeded, 1 unchanged", out)
        self.sql("UPDATE orders SET item = 'new', updated_at = now() WHERE id <= 3; INSERT INTO orders (id, item) VALUES (501, 'late')")
        self.project.ok("run")
        self.assert_same("orders", "id, item")
        # Only those that are at or above the cursor came: four new ones, and the rest of its value.
        self.sql(f"INSERT INTO orders (id, item, price) SELECT g, 'x', 1 FROM {self.series(502, 510)}")
        self.project.ok("run")
        self.assertLess(self.project.last_task("shop.orders")["rows_read"], 20)
        self.sql("DELETE FROM orders WHERE id = 7; UPDATE orders SET item = 'y', updated_at = now() WHERE id = 8")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT id, item FROM shop.orders WHERE id IN (7, 8) ORDER BY id"), [["7", "item 7"], ["8", "y"]])

    def test_rows_that_are_deleted_at_the_source_go_where_keys_are_compared(self):
        stream = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at, compare_keys: %s}, partition_by: item}"
        self.sql("UPDATE orders SET item = 'one'; UPDATE orders SET item = 'two' WHERE id > 250")
        self.project.source(self.server, {"orders": stream % "0s"})
        self.project.ok("run")
        self.sql("DELETE FROM orders WHERE id IN (7, 300, 301)")
        self.assertIn("3 rows deleted: their keys are gone at the source", self.project.ok("run"))
        self.assert_same("orders")
        self.assertIn("1 unchanged", self.project.ok("run"))
        # With new and changed rows, and a key that changes, in one commit.
        self.sql("DELETE FROM orders WHERE id = 8; UPDATE orders SET id = 909, updated_at = now() WHERE id = 9; INSERT INTO orders (id, item, price) VALUES (910, 'two', 1)")
        versions = len(json.loads(self.project.ok("history", "shop.orders", "--output", "json"))["versions"])
        self.assertIn("2 rows deleted", self.project.ok("run"))
        self.assert_same("orders")
        self.assertEqual(len(json.loads(self.project.ok("history", "shop.orders", "--output", "json"))["versions"]), versions + 1)
        # Seldom: not before its time; and at once after a rebuild, which brings rows back.
        self.project.source(self.server, {"orders": stream % "1d"})
        self.sql("DELETE FROM orders WHERE id = 10")
        self.project.ok("run")
        self.assertEqual(self.counts("orders", "count(*) FILTER (id = 10)"), ["1"])
        self.project.ok("backfill", "shop.orders", "--from-raw")
        self.assertIn("rows deleted", self.project.ok("run"))
        self.assert_same("orders")

    def test_a_source_that_seems_empty_deletes_nothing(self):
        stream = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at, compare_keys: 0s}}"
        self.project.source(self.server, {"orders": stream})
        self.project.ok("run")
        self.sql("DELETE FROM orders")
        refused = self.project.caudal("run")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("would delete all 500 rows of the table", refused.stdout)
        self.assertIn("caudal run -s shop.orders --full-refresh", refused.stdout)
        self.assertEqual(self.counts("orders"), ["500"])
        self.project.ok("run", "-s", "shop.orders", "--full-refresh")
        self.assertEqual(self.counts("orders"), ["0"])

    def test_replace_holds_what_the_table_holds_now(self):
        self.project.source(self.server, {"orders": "{write_disposition: replace, select: [id, item, price]}"})
        self.project.ok("run")
        for left in (3, 1):
            self.sql(f"DELETE FROM orders WHERE id > {left}")
            self.project.ok("run")
            self.assert_same("orders")
        self.sql("DELETE FROM orders")
        self.project.ok("run")
        self.assertEqual(self.counts("orders"), ["0"])

    def test_an_empty_table_gets_its_columns_and_its_first_row(self):
        self.sql("DELETE FROM orders")
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.sql("INSERT INTO orders (id, item, price) VALUES (1, 'one', 2)")
        self.project.ok("run")
        self.assert_same("orders")

    def test_a_schema_that_changes_between_two_runs(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.sql("ALTER TABLE orders ADD COLUMN colour varchar(20); UPDATE orders SET colour = 'red', updated_at = now() WHERE id = 1")
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
            self.assertIn(self.nothing_listens.format(self.server.port), gone.stdout)
        finally:
            self.server.start()
        self.sql("INSERT INTO orders (id, item, price) VALUES (600, 'after', 1)")
        self.project.ok("retry")
        self.assert_same("orders")

    def test_the_server_dies_in_the_middle_of_a_read(self):
        """What came before its death is not taken for the whole."""
        self.project.source(self.server, {"slow": "{write_disposition: replace, query: 'SELECT id, %s AS s FROM orders'}" % self.sleep(0.02)})
        run = self.begin_to_read("FROM orders")
        time.sleep(3)
        self.crash()
        try:
            out = run.communicate(timeout=120)[0]
            self.assertNotEqual(run.returncode, 0, out)
            self.assertRegex(out, "the server (went away|broke the read off|ended the connection)|the connection to the server broke")
        finally:
            self.server.start()
        self.project.ok("retry")
        self.assertEqual(self.counts("slow"), ["500"])

    def begin_to_read(self, words):
        """A run whose question to the server has arrived."""
        before, limit = len(self.server.log()), time.monotonic() + 60
        run = self.project.begin("run")
        while words not in self.server.log()[before:]:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.1)
        return run

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_a_killed_worker_loses_nothing_and_doubles_nothing(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        most = 500
        for call, nth in self.deaths:
            # The thread that makes this call for the n-th time dies with its process: a worker, or the command itself. How the calls fall
            # on the threads differs from run to run: where none makes so many, the run ends well, and the next one dies earlier.
            killed = False
            while not killed and nth > 0:
                self.sql(f"INSERT INTO orders (id, item, price) SELECT g, 'more', 1 FROM {self.series(most + 1, most + 2000)}")
                most += 2000
                before = self.counts("orders")
                done = self.project.caudal("run", "--no-retry", prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                                                        "-e", f"inject={call}:signal=KILL:when={nth}"])
                killed = done.returncode == -signal.SIGKILL or "killed by SIGKILL" in done.stdout + done.stderr
                if killed:
                    self.assertEqual(self.counts("orders"), before)
                else:
                    self.assertEqual(done.returncode, 0, (call, nth, done.stdout))
                nth //= 2
            self.assertTrue(killed, call)
        self.project.ok("retry")
        self.assert_same("orders")
        self.project.ok("doctor")

    def test_the_table_is_built_anew_from_its_raw_objects(self):
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

    def assert_bounded(self, table):
        self.assertEqual(self.counts(table, "count(*), count(DISTINCT id), sum(id)"), ["1000000", "1000000", "500000500000"])
        peak = self.project.last_task(f"shop.{table}")["peak_memory_bytes"]
        self.assertGreater(peak, 0)
        self.assertLessEqual(peak, 300_000_000, table)

    def assert_one_snapshot(self, client, environment):
        """`client` reads SQL from its standard input."""
        self.project.source(self.server, {"pairs": REPLACE})
        writer = subprocess.Popen(client, stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        writer.stdin.write("UPDATE pairs SET n = n + 1;\n" * 8)
        writer.stdin.flush()
        self.project.ok("run")
        writer.stdin.close()
        writer.wait(60)
        self.assertEqual(self.counts("pairs", "count(*), count(DISTINCT n)"), ["60000", "1"])

    def test_ctrl_c_ends_a_read_at_once(self):
        self.project.source(self.server, {"slow": "{write_disposition: replace, query: 'SELECT id, %s AS s FROM orders'}" % self.sleep(1)})
        run = self.begin_to_read("FROM orders")
        started = time.monotonic()
        run.send_signal(signal.SIGINT)
        out = run.communicate(timeout=60)[0]
        self.assertLess(time.monotonic() - started, 10)  # the query itself would take minutes
        self.assertNotEqual(run.returncode, 0, out)

    def test_no_password_anywhere(self):
        self.project.source(self.server, {"orders": MERGE})
        self.project.ok("run")
        self.project.source(self.server, {"orders": MERGE}, database="nowhere")
        outs = self.project.caudal("run"), self.project.caudal("connection", "test", "--output", "json"), self.project.caudal("history", "--output", "json")
        self.assertFalse([out for out in outs if PASSWORD in out.stdout + out.stderr])
        for at, _, files in os.walk(self.project.folder):
            for name in files:
                with open(os.path.join(at, name), "rb") as f:
                    self.assertNotIn(PASSWORD.encode(), f.read(), os.path.join(at, name))
        self.assertFalse([line for line in self.server.log().splitlines() if PASSWORD in line.replace("''", "'") and not re.search("CREATE (ROLE|USER)", line)])


class WrongCases:
    """`wrong`: what is wrong, options and streams that make it so, and what the error names."""

    def assert_the_check_says_which_part_is_wrong(self):
        os.environ["WRONG"] = "xyz-wrong"
        self.addCleanup(os.environ.pop, "WRONG")
        for name, options, streams, says in self.wrong:
            with self.subTest(wrong=name):
                self.project.source(self.server, streams or {"orders": REPLACE}, **options)
                for words in (["connection", "test"], ["run"]):
                    done = self.project.caudal(*words)
                    self.assertNotEqual(done.returncode, 0, done.stdout)
                    self.assertIn(says, done.stdout + done.stderr)
                    self.assertIn("next: ", done.stdout + done.stderr)
                    self.assertNotIn("xyz-wrong", done.stdout + done.stderr)

    def test_a_statement_takes_too_long(self):
        self.project.source(self.server, {"slow": "{write_disposition: replace, query: 'SELECT id, %s AS s FROM orders'}" % self.sleep(0.1)}, statement_timeout="1s")
        started = time.monotonic()
        done = self.project.caudal("run")
        self.assertIn("longer than `statement_timeout:`", done.stdout)
        self.assertLess(time.monotonic() - started, 40)

    def make_certificates(self):
        """tls/{server,other}.{key,pem} in the project, each its own authority, for localhost."""
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

    def assert_tls_by_its_modes(self, address, checks, others):
        """`checks`: the mode that looks at who signed the certificate. `address`: one of the server's that the certificate is not for."""
        cases = [*((address, other, None, "OK") for other in others), ("localhost", "verify-full", "server.pem", "OK"),
                 (address, "verify-full", "server.pem", f"TLS: the server's certificate is for another name than {address}"),
                 ("localhost", checks, "other.pem", "TLS: the server's certificate is not signed by an authority of `sslrootcert:`"),
                 ("localhost", checks, "missing.pem", "cannot be read")]
        if checks == "verify-ca":
            cases.append((address, checks, "server.pem", "OK"))
        for host, mode, authority, says in cases:
            with self.subTest(host=host, mode=mode, authority=authority):
                self.project.source(self.server, {"orders": REPLACE}, host=host, sslmode=mode, sslrootcert=authority and f"tls/{authority}")
                self.assertIn(says, self.project.caudal("connection", "test").stdout)

    def test_plain_text_passwords_and_bad_words_are_refused_before_anything_runs(self):
        for options, says in (({"password": "plain"}, "password"), ({"sslmode": "maybe"}, "sslmode"), ({"port": 99999}, "port"),
                              ({"sslmode": "verify-full"}, "sslrootcert")):
            self.project.source(self.server, {"orders": MERGE}, **options)
            done = self.project.caudal("validate")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stdout + done.stderr)


class LateCases:
    """Rows that commit late. `ways`: a name, the user and the stream of each way to not lose them; `events`: the DDL of the table."""

    def each_way(self):
        for name, user, stream in self.ways:
            with self.subTest(way=name):
                self.sql("DROP TABLE IF EXISTS events;" + self.events)
                self.project.remove()
                self.project = Project(self.kind, PASSWORD)
                self.project.source(self.server, {"events": stream}, user=user)
                yield
                self.project.ok("run")
                self.assert_same("events", "id, word")

    def session(self):
        session = self.server.session("shop")
        self.addCleanup(session.close)
        return session

    def test_a_transaction_that_is_open_while_others_commit(self):
        for _ in self.each_way():
            late = self.session()
            late.sql("BEGIN; INSERT INTO events (word) VALUES ('late')")
            time.sleep(0.01)
            self.sql(f"INSERT INTO events (word) SELECT 'early' FROM {self.series(1, 5)}")
            self.project.ok("run")
            self.assertEqual(self.counts("events"), ["5"])
            self.project.ok("run")
            late.sql("COMMIT")

    def test_a_transaction_that_began_and_has_not_written_yet(self):
        # In PostgreSQL its now() is fixed, and it has no number of its own: the oldest *writer* alone would not tell.
        for _ in self.each_way():
            late = self.session()
            late.sql("BEGIN; SELECT now()")
            time.sleep(3)
            self.sql("INSERT INTO events (word) VALUES ('early')")
            time.sleep(3)
            self.project.ok("run")
            late.sql("INSERT INTO events (id, word) VALUES (-1, 'late'); COMMIT")

    def test_savepoints_and_updates(self):
        for _ in self.each_way():
            self.sql(f"INSERT INTO events (word) SELECT 'old' FROM {self.series(1, 20)}")
            self.project.ok("run")
            late = self.session()
            late.sql("BEGIN; SAVEPOINT a; UPDATE events SET word = 'mine', updated_at = now(), day = now() WHERE id = 3; SAVEPOINT b; "
                     "INSERT INTO events (word) VALUES ('inner'); RELEASE SAVEPOINT b")
            self.sql("UPDATE events SET word = 'yours', updated_at = now(), day = now() WHERE id = 5")
            time.sleep(3)
            self.project.ok("run")
            late.sql("COMMIT")

    def test_random_interleavings(self):
        dice = random.Random(20261121)
        for _ in self.each_way():
            open_ones = []
            for step in range(25):
                chance = dice.random()
                if chance < 0.35 and len(open_ones) < 6:
                    session = self.session()
                    session.sql("BEGIN; SELECT now()")
                    open_ones.append(session)
                elif chance < 0.6 and open_ones:
                    dice.choice(open_ones).sql(f"INSERT INTO events (word) VALUES ('s{step}')")
                elif chance < 0.75 and open_ones:
                    open_ones.pop(dice.randrange(len(open_ones))).sql("COMMIT" if dice.random() < 0.8 else "ROLLBACK")
                elif chance < 0.85:
                    self.sql(f"INSERT INTO events (word) VALUES ('alone {step}')")
                    time.sleep(0.7)
                else:
                    self.project.ok("run")
            for session in open_ones:
                session.sql("COMMIT")


class TypeCases:
    """`types`: a name, the server's type, a value, and what both are in the lake; `readings`: streams of a table %s."""

    def assert_each_type_with_its_value_and_null(self):
        for n, (_, kind, value, _, _) in enumerate(self.types):
            self.sql(f"CREATE TABLE t{n} (id int PRIMARY KEY, v {kind}); INSERT INTO t{n} VALUES (1, {value}), (2, NULL); {self.grant(f't{n}')}")
        for reading, stream in self.readings.items():
            self.project.source(self.server, {f"{reading}_{n}": stream % f"t{n}" for n in range(len(self.types))})
            self.project.ok("run")
            parts = [f"SELECT {n} AS n, id, typeof(v) AS kind, CAST(v AS VARCHAR) AS v, v IS NULL AS none FROM shop.{reading}_{n}" for n in range(len(self.types))]
            rows = {(int(n), id): (kind, v, none) for n, id, kind, v, none in self.project.rows(" UNION ALL ".join(parts))}
            for n, (name, _, _, kind, text) in enumerate(self.types):
                with self.subTest(type=name, reading=reading):
                    self.assertEqual(rows[n, "1"], (kind, text, "false"))
                    self.assertEqual(rows[n, "2"], (kind, "", "true"))
