"""The mysql connector against a real MariaDB server: load, increment, replace, restart, kill, what is wrong named."""
import os
import shutil
import signal
import unittest

import server_cases
from server_cases import MERGE, PASSWORD, REPLACE
import mariadb
import unprivileged

ORDERS = """CREATE TABLE orders (id int PRIMARY KEY, item text, price decimal(10,2), updated_at timestamp(6) NOT NULL DEFAULT now(6));
INSERT INTO orders SELECT seq, concat('item ', seq), seq / 4.0, '2026-01-01' FROM seq_1_to_500;
"""


class MysqlTest(server_cases.ServerTest):
    kind = "mysql"
    settings = ()

    @classmethod
    def setUpClass(cls):
        # Nothing of the server's own is what the connector needs: it sets it for its session.
        cls.server = mariadb.Server(["default-time-zone=-05:00", "transaction-isolation=READ-COMMITTED", "character-set-server=latin1", *cls.settings])
        cls.addClassCleanup(cls.server.close)
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
        cls.server.sql(f"CREATE USER reader@'%' IDENTIFIED BY '{quoted}'; CREATE USER blind@'%' IDENTIFIED BY '{quoted}'; "
                       "GRANT SELECT ON shop.* TO reader@'%', blind@'%'; GRANT PROCESS ON *.* TO reader@'%'")

    def make_shop(self):
        self.server.sql("CREATE DATABASE shop")
        self.sql(ORDERS)

    def drop_shop(self):
        # A statement whose worker was killed lives on until it writes, and holds its table.
        for number in self.server.sql("SELECT id FROM information_schema.processlist WHERE user IN ('reader', 'blind')").split():
            try:
                self.server.sql(f"KILL {number}")
            except RuntimeError:
                pass  # it has ended meanwhile
        self.server.sql("DROP DATABASE shop")

    def sql(self, text):
        return self.server.sql(text, "shop").replace("\t", "|")

    def crash(self):
        self.server.stop(signal.SIGKILL)

    @staticmethod
    def series(begin, end):
        return f"(SELECT seq AS g FROM seq_{begin}_to_{end}) AS s"

    @staticmethod
    def sleep(seconds):
        return f"sleep({seconds})"

    @staticmethod
    def grant(_):
        return ""


@unittest.skipIf(mariadb.REASON, mariadb.REASON)
class Reading(server_cases.ReadingCases, MysqlTest):
    nothing_listens = "no server answers on port {} of 127.0.0.1"

    def test_reads_views_queries_other_databases_and_strange_names(self):
        self.server.sql("CREATE DATABASE `Other One`; GRANT SELECT ON `Other One`.* TO reader@'%'")
        self.addCleanup(self.server.sql, "DROP DATABASE `Other One`")
        self.sql("""CREATE VIEW dear AS SELECT id, price FROM orders WHERE price > 124;
            CREATE TABLE `Other One`.`Order ``"Lines` (id int, `Qty` int, `a'b` int); INSERT INTO `Other One`.`Order ``"Lines` VALUES (1, 2, 3);
            CREATE TABLE `ORDERS` (id int); INSERT INTO `ORDERS` VALUES (99);
            CREATE TABLE days (id int, day int) PARTITION BY RANGE (day) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20));
            INSERT INTO days VALUES (1, 1), (2, 11)""")
        self.project.source(self.server, {
            "dear": REPLACE,
            "lines": "{write_disposition: replace, database: Other One, table: 'Order `\"Lines'}",
            "upper": "{write_disposition: replace, table: ORDERS}",
            "lower": "{write_disposition: replace, table: orders}",
            "days": REPLACE,
            "summed": "{write_disposition: replace, query: \"SELECT count(*) AS n, sum(price) AS total, 'it''s' AS word FROM orders\"}"})
        self.project.ok("connection", "test")
        self.project.ok("run")
        self.assert_same("dear", "id, price")
        self.assert_same("days", "id, day")
        self.assertEqual(self.project.rows('SELECT id, "Qty", "a\'b" FROM shop.lines'), [["1", "2", "3"]])
        self.assertEqual(self.project.rows("SELECT id FROM shop.upper"), [["99"]])
        self.assertEqual(self.counts("lower"), ["500"])
        self.assertEqual(self.project.rows("SELECT n, total, word FROM shop.summed"), [["500", "31312.50", "it's"]])

    def test_a_user_who_sees_the_rights_of_others(self):
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
        self.server.sql(f"CREATE USER wide@'%' IDENTIFIED BY '{quoted}'; GRANT SELECT ON *.* TO wide@'%'")
        self.addCleanup(lambda: self.server.sql("DROP USER wide@'%'"))
        self.project.source(self.server, {"orders": MERGE}, user="wide")
        self.project.ok("run")
        self.assert_same("orders")

    def test_the_session_cannot_write(self):
        self.sql("CREATE FUNCTION burn() RETURNS int MODIFIES SQL DATA BEGIN DELETE FROM orders; RETURN 1; END".join(["DELIMITER //\n", "//\nDELIMITER ;\n"]))
        self.server.sql("GRANT EXECUTE, DELETE ON shop.* TO reader@'%'")
        self.addCleanup(self.server.sql, "REVOKE EXECUTE, DELETE ON shop.* FROM reader@'%'")
        self.sql("CREATE VIEW fire AS SELECT burn() AS n")
        # A view whose columns cannot be told without writing has none.
        for stream, says in (("{write_disposition: replace, query: 'SELECT burn() AS n'}", "the session may only read"),
                             ("{write_disposition: replace, table: fire}", "no table shop.fire")):
            self.project.source(self.server, {"fire": stream})
            done = self.project.caudal("run")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stdout)
            self.assertEqual(self.sql("SELECT count(*) FROM orders"), "500")

    def test_a_run_reads_one_snapshot(self):
        self.sql("CREATE TABLE pairs SELECT seq AS id, 0 AS n, repeat('x', 500) AS t FROM seq_1_to_60000")
        self.assert_one_snapshot(["mariadb", "--no-defaults", *self.server.words("shop")], {"MYSQL_PWD": self.server.password})

    @unittest.skipIf(os.environ.get("CAUDAL_PRESET") in ("asan", "tsan"), "a sanitizer takes memory of its own")
    def test_a_million_rows_in_bounded_memory(self):
        self.sql("""CREATE TABLE big (id int PRIMARY KEY) SELECT seq AS id, md5(seq) AS a, seq * 2.5e0 AS b, cast(seq % 1000 AS decimal(12,2)) AS c, now(6) AS updated_at,
            repeat('x', seq % 200) AS d, seq % 2 = 0 AS e FROM seq_1_to_1000000""")
        self.project.source(self.server, {"big": REPLACE})
        self.project.ok("run")
        self.assert_bounded("big")


WRONG = [
    ("host that has no name", {"host": "nowhere.invalid"}, {}, "the host nowhere.invalid has no address"),
    ("host that is none", {"host": "db;init-command=x"}, {}, "no name or address"),
    ("port", {"port": unprivileged.free_port()}, {}, "no server answers on port"),
    ("password", {"password": "${WRONG}"}, {}, "refuses user reader with this password"),
    ("user", {"user": "nobody"}, {}, "refuses user nobody with this password"),
    ("no password", {"password": None}, {}, "wants a password for user reader"),
    ("database", {"database": "shopp"}, {}, "may not use the database shopp, or it is not there"),
    ("TLS that is not there", {"sslmode": "verify-full", "sslrootcert": "caudal.yaml"}, {}, "the server has no TLS"),
    ("table", {}, {"ordrs": REPLACE}, "no table shop.ordrs"),
    ("database of a stream", {}, {"t": "{write_disposition: replace, database: elsewhere}"}, "no table elsewhere.t"),
    ("right to the table", {}, {"t": "{write_disposition: replace, database: secret}"}, "the user may not read it"),
    ("right to a column", {}, {"partly": "{write_disposition: replace, database: secret, select: [id, salary]}"}, "no column 'salary', which `select:`"),
    ("cursor column", {}, {"orders": "{write_disposition: merge, primary_key: id, incremental: {cursor: changed}}"}, "no column 'changed', which `incremental:`"),
    ("selected column", {}, {"orders": "{write_disposition: replace, select: [id, colour]}"}, "no column 'colour', which `select:`"),
    ("query", {}, {"orders": "{write_disposition: replace, query: 'SELECT nothing FROM orders'}"}, "Unknown column 'nothing'"),
    ("query that is none", {}, {"orders": "{write_disposition: replace, query: 'DELETE FROM orders'}"}, "refuses the stream's `query:`"),
    ("two columns of one name", {}, {"orders": "{write_disposition: replace, query: 'SELECT 1 AS a, 2 AS a'}"}, "have one name"),
    ("a number without lag", {}, {"orders": "{write_disposition: merge, primary_key: id, incremental: {cursor: id}}"}, "commit late"),
    ("a text as cursor", {}, {"orders": "{write_disposition: merge, primary_key: id, incremental: {cursor: item}}"}, "no time and no whole number"),
]


@unittest.skipIf(mariadb.REASON, mariadb.REASON)
class Wrong(server_cases.WrongCases, MysqlTest):
    wrong = WRONG

    def test_the_check_says_which_part_is_wrong(self):
        self.server.sql("CREATE DATABASE secret; CREATE TABLE secret.t (id int); CREATE TABLE secret.partly (id int, salary int); "
                        "GRANT SELECT (id) ON secret.partly TO reader@'%'")
        self.addCleanup(self.server.sql, "DROP DATABASE secret")
        self.assert_the_check_says_which_part_is_wrong()
        self.project.source(self.server, {"partly": "{write_disposition: replace, database: secret}"})
        self.project.ok("run")

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_tls_by_its_modes(self):
        self.make_certificates()
        self.server.stop()
        # The library checks no certificate of 127.0.0.1.
        self.server.settings += ["ssl-cert=server.pem", "ssl-key=server.key", "bind-address=127.0.0.1,127.0.0.2"]
        self.addCleanup(lambda: (self.server.stop(), self.server.start()))
        self.addCleanup(self.server.settings.__delitem__, slice(-3, None))
        self.server.start()
        self.assert_tls_by_its_modes("127.0.0.2", "verify-full", ["prefer", "disable"])


if __name__ == "__main__":
    unittest.main()
