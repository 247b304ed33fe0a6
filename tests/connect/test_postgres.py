"""The postgres connector against a real server: load, increment, replace, restart, kill, what is wrong named."""
import os
import shutil
import unittest

import server_cases
from server_cases import MERGE, PASSWORD, REPLACE
import postgres
import unprivileged

ORDERS = """CREATE TABLE orders (id int PRIMARY KEY, item text, price numeric(10,2), updated_at timestamptz NOT NULL DEFAULT now());
INSERT INTO orders SELECT g, 'item ' || g, g / 4.0, '2026-01-01' FROM generate_series(1, 500) AS g;
GRANT SELECT ON orders TO reader;
"""


class PostgresTest(server_cases.ServerTest):
    kind = "postgres"

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        cls.addClassCleanup(cls.server.close)
        quoted = PASSWORD.replace("'", "''")
        cls.server.sql(f"CREATE ROLE reader LOGIN PASSWORD '{quoted}'; CREATE ROLE blind LOGIN PASSWORD '{quoted}'; GRANT pg_read_all_stats TO reader;")

    def make_shop(self):
        self.server.sql("CREATE DATABASE shop")
        self.sql(ORDERS)

    def drop_shop(self):
        self.server.sql("DROP DATABASE shop WITH (FORCE)")

    def sql(self, text):
        return self.server.sql(text, "shop")

    def crash(self):
        self.server.stop("immediate")

    @staticmethod
    def series(begin, end):
        return f"generate_series({begin}, {end}) AS s(g)"

    @staticmethod
    def sleep(seconds):
        return f"pg_sleep({seconds})::text"

    @staticmethod
    def grant(table):
        return f"GRANT SELECT ON {table} TO reader"


@unittest.skipIf(postgres.REASON, postgres.REASON)
class Reading(server_cases.ReadingCases, PostgresTest):
    def test_reads_views_queries_other_schemas_and_strange_names(self):
        self.sql('''CREATE VIEW dear AS SELECT id, price FROM orders WHERE price > 124;
            CREATE SCHEMA "Other One"; CREATE TABLE "Other One"."Order ""Lines""" (id int, "Qty" int); INSERT INTO "Other One"."Order ""Lines""" VALUES (1, 2);
            CREATE TABLE "ORDERS" (id int); INSERT INTO "ORDERS" VALUES (99);
            CREATE TABLE days (id int, day int) PARTITION BY RANGE (day);
            CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10); CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20);
            INSERT INTO days VALUES (1, 1), (2, 11);
            GRANT USAGE ON SCHEMA "Other One" TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, "Other One" TO reader;''')
        self.project.source(self.server, {
            "dear": REPLACE,
            "lines": "{write_disposition: replace, schema: Other One, table: 'Order \"Lines\"'}",
            "upper": "{write_disposition: replace, table: ORDERS}",
            "lower": "{write_disposition: replace, table: orders}",
            "days": REPLACE,
            "summed": "{write_disposition: replace, query: \"SELECT count(*) AS n, sum(price)::numeric(12,2) AS total, 'it''s' AS word FROM orders\"}"})
        self.project.ok("connection", "test")
        self.project.ok("run")
        self.assert_same("dear", "id, price")
        self.assert_same("days", "id, day")
        self.assertEqual(self.project.rows('SELECT id, "Qty" FROM shop.lines'), [["1", "2"]])
        self.assertEqual(self.project.rows("SELECT id FROM shop.upper"), [["99"]])
        self.assertEqual(self.project.rows("SELECT count(*) FROM shop.lower"), [["500"]])
        self.assertEqual(self.project.rows("SELECT n, total, word FROM shop.summed"), [["500", "31312.50", "it's"]])

    @unittest.skipIf(os.environ.get("CAUDAL_PRESET") in ("asan", "tsan"), "a sanitizer takes memory of its own")
    def test_a_million_rows_in_bounded_memory(self):
        self.sql("""CREATE TABLE big AS SELECT g AS id, md5(g::text) AS a, g * 2.5 AS b, (g % 1000)::numeric(12,2) AS c, now() AS updated_at,
            repeat('x', g % 200) AS d, g % 2 = 0 AS e FROM generate_series(1, 1000000) AS g; GRANT SELECT ON big TO reader;
            CREATE TABLE scanned AS SELECT id, a, d, e FROM big; GRANT SELECT ON scanned TO reader""")
        self.project.source(self.server, {"big": REPLACE, "scanned": REPLACE})
        self.project.ok("run")
        for table in ("big", "scanned"):
            self.assert_bounded(table)

    def test_a_run_reads_one_snapshot(self):
        self.sql("CREATE TABLE pairs AS SELECT g AS id, 0 AS n, repeat('x', 500) AS t FROM generate_series(1, 60000) AS g; GRANT SELECT ON pairs TO reader")
        self.assert_one_snapshot(["psql", *postgres.psql_words(self.server, "shop", "postgres")], {"PGPASSWORD": self.server.password})

    def test_lists_and_bytes_are_built_anew_from_raw_objects(self):
        self.sql("ALTER TABLE orders ADD COLUMN tags int[], ADD COLUMN b bytea; UPDATE orders SET tags = ARRAY[id, NULL], b = '\\x00ff'")
        self.test_the_table_is_built_anew_from_its_raw_objects()

    def test_the_session_cannot_write(self):
        self.sql("CREATE FUNCTION burn() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1'; GRANT DELETE ON orders TO reader")
        self.project.source(self.server, {"orders": "{write_disposition: replace, query: 'SELECT burn() AS n'}"})
        done = self.project.caudal("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("read-only transaction", done.stdout)
        self.assertEqual(self.sql("SELECT count(*) FROM orders"), "500")


WRONG = [
    ("host that has no name", {"host": "nowhere.invalid"}, {}, "the host nowhere.invalid has no address"),
    ("port", {"port": unprivileged.free_port()}, {}, "nothing listens on port"),
    ("password", {"password": "${WRONG}"}, {}, "refuses user reader with this password"),
    ("user", {"user": "nobody"}, {}, "refuses user nobody with this password"),
    ("no password", {"password": None}, {}, "wants a password for user reader"),
    ("database", {"database": "shopp"}, {}, "the server has no database shopp"),
    ("TLS that is not there", {"sslmode": "require"}, {}, "the server has no TLS"),
    ("right to the database", {"database": "closed"}, {}, "has no right to connect to database closed"),
    ("table", {}, {"ordrs": REPLACE}, "no table public.ordrs"),
    ("schema", {"schema": "elsewhere"}, {}, "no table elsewhere.orders"),
    ("right to the table", {}, {"hidden": REPLACE}, "no right to read public.hidden"),
    ("right to the schema", {}, {"t": "{write_disposition: replace, schema: locked}"}, "no right to use the schema locked"),
    ("cursor column", {}, {"orders": "{write_disposition: merge, primary_key: id, incremental: {cursor: changed}}"}, "no column 'changed', which `incremental:`"),
    ("selected column", {}, {"orders": "{write_disposition: replace, select: [id, colour]}"}, "no column 'colour', which `select:`"),
    ("query", {}, {"orders": "{write_disposition: replace, query: 'SELECT nothing FROM orders'}"}, 'column "nothing" does not exist'),
    ("cursor of a view", {}, {"seen": "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"}, "commit late"),
]


@unittest.skipIf(postgres.REASON, postgres.REASON)
class Wrong(server_cases.WrongCases, PostgresTest):
    wrong = WRONG

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.sql("CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM public")

    def test_the_check_says_which_part_is_wrong(self):
        self.sql("""CREATE TABLE hidden (id int); CREATE SCHEMA locked; CREATE TABLE locked.t (id int);
            CREATE VIEW seen AS SELECT * FROM orders; GRANT SELECT ON seen TO reader""")
        self.assert_the_check_says_which_part_is_wrong()

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_tls_by_its_modes(self):
        self.make_certificates()
        for setting in ("ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"):
            self.sql(f"ALTER SYSTEM SET {setting}")
        self.server.stop()
        self.server.start()
        self.addCleanup(self.server.sql, "ALTER SYSTEM RESET ALL")
        self.assert_tls_by_its_modes("127.0.0.1", "verify-ca", ["require", "prefer", "disable"])


if __name__ == "__main__":
    unittest.main()
