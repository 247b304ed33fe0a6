"""`tables:` against real databases: one entry stands for many tables, whatever becomes of them at the source."""
import glob
import json
import os
import signal
import sqlite3
import sys
import threading
import time
import unittest

from database_project import TOP, Project
import mariadb
import postgres

sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
import daemon_process  # noqa: E402

PASSWORD = "pa'ss"
SHOP = """CREATE SCHEMA sales; CREATE SCHEMA closed;
CREATE TABLE public.customers (id int PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT '2026-01-01');
CREATE TABLE public.countries (code text PRIMARY KEY, name text);
CREATE TABLE public.tmp_load (x int);
CREATE TABLE public.customers_old (id int PRIMARY KEY);
CREATE TABLE sales.order_lines (id int, line int, item text, updated_at timestamptz NOT NULL DEFAULT '2026-01-01', PRIMARY KEY (id, line));
CREATE TABLE closed.secret (id int PRIMARY KEY);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 5) AS g; INSERT INTO countries VALUES ('ES', 'Spain');
INSERT INTO sales.order_lines SELECT g, 1, 'i' FROM generate_series(1, 7) AS g;
GRANT USAGE ON SCHEMA public, sales TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, sales TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public, sales GRANT SELECT ON TABLES TO reader;
"""
REPLACE = '{match: "public.*", exclude: ["public.tmp_*", "*_old"], write_disposition: replace}'
MERGE = '{match: "sales.order_*", write_disposition: merge, incremental: {cursor: updated_at}}'


class Cases(unittest.TestCase):
    def documents(self, *words):
        done = self.project.caudal(*words, "--output", "json")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def json(self, *words):
        code, documents = self.documents(*words)
        self.assertEqual(code, 0, documents)
        return documents[-1]

    def tables(self):
        return sorted(t["table"] for t in self.json("show")["tables"] if t["kind"] == "stream")

    def last(self):
        """Of the newest run: table -> task."""
        return {task["table"]: task for task in self.json("history")["runs"][0]["tasks"]}

    def events(self, kind):
        found = []
        for path in sorted(glob.glob(self.project.path(".caudal/runs/*.ndjson"))):
            with open(path, encoding="utf-8") as f:
                found += [event for event in map(json.loads, f) if event["event"] == kind]
        return found

    def fails(self, *words, **more):
        done = self.project.caudal(*words, **more)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stdout + done.stderr


@unittest.skipIf(postgres.REASON, postgres.REASON)
class Postgres(Cases):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.sql("CREATE ROLE reader LOGIN PASSWORD 'pa''ss'; GRANT pg_read_all_stats TO reader")

    def setUp(self):
        self.server.sql("CREATE DATABASE shop")
        self.addCleanup(lambda: self.server.sql("DROP DATABASE shop WITH (FORCE)"))
        self.sql(SHOP)
        self.project = Project("postgres", PASSWORD)
        self.addCleanup(self.project.remove)
        self.source([REPLACE, MERGE])

    def sql(self, text):
        return self.server.sql(text, "shop")

    def source(self, patterns, streams="", more="", name="erp", port=None):
        self.project.write(f"sources/{name}.yaml", f"type: postgres\nhost: 127.0.0.1\nport: {port or self.server.port}\ndatabase: shop\nuser: reader\n"
                           f"password: ${{DB_PASSWORD}}\n{more}tables:\n" + "".join(f"  - {p}\n" for p in patterns) + (f"streams:\n{streams}" if streams else ""))

    def test_loads_what_patterns_stand_for_with_the_tables_own_keys(self):
        text = self.project.ok("validate")
        self.assertIn("warning: the tables of erp are not known yet", text)
        self.assertIn("caudal sources erp --check", text)
        out = self.project.ok("run")
        self.assertIn("erp: asked which tables it has: 5", out)
        self.assertEqual(self.tables(), ["erp.countries", "erp.customers", "erp.sales_order_lines"])
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["5"]])
        self.sql("UPDATE sales.order_lines SET item = 'new', updated_at = now() WHERE id = 3; DELETE FROM customers WHERE id > 2")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*), count(*) FILTER (item = 'new') FROM erp.sales_order_lines"), [["7", "1"]])
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["2"]])
        self.assertEqual(self.json("show", "erp.sales_order_lines")["key"], ["id", "line"])

        document = self.json("validate")
        self.assertEqual([(p["match"], [t["table"] for t in p["tables"]]) for p in document["patterns"]],
                         [("public.*", ["erp.countries", "erp.customers"]), ("sales.order_*", ["erp.sales_order_lines"])])
        self.assertIn("public.* of erp: 2 tables  (countries, customers)", self.project.ok("validate"))
        streams = {s["table"]: s for s in self.json("sources", "erp")["sources"][0]["streams"]}
        self.assertEqual((streams["erp.sales_order_lines"]["pattern"], streams["erp.sales_order_lines"]["at_source"]), ("sales.order_*", "sales.order_lines"))
        self.assertIn("sales.order_*  (sales.order_lines)", self.project.ok("sources", "erp"))
        self.assertEqual(os.listdir(self.project.path(".caudal/catalogs")), ["erp.json"])
        with open(self.project.path(".caudal/catalogs/erp.json"), encoding="utf-8") as f:
            self.assertNotIn(PASSWORD, f.read())

    def test_a_check_asks_and_a_plan_does_not(self):
        self.assertEqual(self.json("plan")["items"], [])
        done = self.project.caudal("sources", "erp", "--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("erp: asked which tables it has: 5", done.stderr)
        self.assertIn("erp.customers", done.stdout)
        self.assertEqual({i["table"]: i["reason"] for i in self.json("plan")["items"]}["erp.customers"], "first load")

    def test_a_new_table_is_taken_and_told_once(self):
        self.project.ok("run")
        self.assertEqual(self.events("schema.drifted"), [], "the first tables of all are no news")
        self.sql("CREATE TABLE public.shops (id int PRIMARY KEY); INSERT INTO shops VALUES (1)")
        out = self.project.ok("run")
        self.assertIn("erp: tables at the source: 1 new: public.shops", out)
        self.assertIn("new table at the source: public.shops", out)
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.shops"), [["1"]])
        self.assertEqual([(e["table"], e["drift"][0]["kind"]) for e in self.events("schema.drifted")], [("erp.shops", "new_table")])
        self.assertNotIn("new", self.project.ok("run").replace("nothing new", "").replace("nothing was new", ""))
        self.assertEqual(len(self.events("schema.drifted")), 1)

    def test_a_selection_may_name_a_table_that_nobody_knew(self):
        self.project.ok("run")
        self.sql("CREATE TABLE public.shops (id int PRIMARY KEY); INSERT INTO shops VALUES (1)")
        self.project.ok("run", "-s", "erp.shops")
        self.assertEqual(list(self.last()), ["erp.shops"])

    def test_frozen_tables_let_nothing_of_the_source_be_loaded(self):
        self.project.ok("run")
        self.source([REPLACE, MERGE], more="schema_contract: {tables: freeze}\n")
        self.project.write("sources/files.yaml", "type: files\nlocation: in\nsettle: 0s\nstreams:\n  days: {glob: '*.csv'}\n")
        self.project.write("in/a.csv", "id\n1\n")
        self.project.ok("run")
        self.sql("CREATE TABLE public.shops (id int PRIMARY KEY); INSERT INTO shops VALUES (1); INSERT INTO customers VALUES (99, 'new')")
        self.project.write("in/b.csv", "id\n2\n")
        said = self.fails("run")
        self.assertIn("nothing of source erp was loaded: 1 table is new there, and its contract freezes tables: public.shops", said)
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["5"]])
        self.assertEqual({t: task["status"] for t, task in self.last().items()},
                         {"erp.countries": "failed", "erp.customers": "failed", "erp.sales_order_lines": "failed", "erp.shops": "failed", "files.days": "succeeded"})
        self.assertIn("is refused", self.project.ok("plan"))
        # Either way out of it.
        self.source([REPLACE.replace("[", "[public.shops, "), MERGE], more="schema_contract: {tables: freeze}\n")
        self.project.ok("retry")
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["6"]])
        self.source([REPLACE, MERGE])
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.shops"), [["1"]])

    def test_a_table_that_is_gone_stays_in_the_lake_and_is_told_once(self):
        self.project.write("models/silver/c.sql", "SELECT count(*) AS n FROM erp.customers\n")
        self.project.ok("run")
        self.sql("DROP TABLE customers")
        out = self.project.ok("run")
        self.assertIn("erp: tables at the source: 1 gone: public.customers", out)
        self.assertIn("SKIP   erp.customers  unchanged: public.customers is gone at the source since", out)
        self.assertEqual([(e["table"], e["drift"][0]["kind"]) for e in self.events("schema.drifted")], [("erp.customers", "gone_table")])
        out = self.project.ok("run")
        self.assertNotIn("1 gone", out)
        self.assertEqual(len(self.events("schema.drifted")), 1)
        self.assertEqual(self.project.rows("SELECT n FROM silver.c"), [["5"]])
        self.assertEqual([s["table"] for s in self.json("sources", "erp")["sources"][0]["streams"] if "gone_since" in s], ["erp.customers"])
        self.assertIn("customers (gone)", self.project.ok("validate"))
        self.assertIn("gone at the source", self.project.ok("plan"))
        # It comes back as it was.
        self.sql("CREATE TABLE public.customers (id int PRIMARY KEY, name text, updated_at timestamptz); INSERT INTO customers VALUES (1, 'back', now())")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT n FROM silver.c"), [["1"]])
        self.assertNotIn("gone", self.project.ok("validate"))

    def test_a_pattern_that_matches_nothing_is_an_error_of_the_run(self):
        self.source([REPLACE, MERGE.replace("order_", "ordr_")])
        said = self.fails("run")
        self.assertIn("the pattern 'sales.ordr_*' matches no table of erp", said)
        self.assertIn("there are: public.countries, public.customers", said)
        self.assertIn("warning: the pattern 'sales.ordr_*' matches no table", self.project.ok("validate"))
        self.source([MERGE.replace("order_", "ordr_")])
        self.assertIn("the pattern 'sales.ordr_*' matches no table of erp", self.fails("run"))
        # Rights that are lost are no empty database.
        self.source([REPLACE, MERGE])
        self.project.ok("run")
        self.sql("REVOKE USAGE ON SCHEMA sales FROM reader")
        self.assertIn("the pattern 'sales.order_*' matches no table of erp", self.fails("run"))
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.sales_order_lines"), [["7"]])

    def test_what_is_written_under_streams_wins(self):
        self.source([REPLACE], "  people: {table: customers, write_disposition: replace, select: [id]}\n  countries: {write_disposition: replace, query: SELECT 1 AS one}\n")
        self.project.ok("run")
        self.assertEqual(self.tables(), ["erp.countries", "erp.people"])
        self.assertEqual(self.project.rows("SELECT one FROM erp.countries"), [["1"]])

    def test_a_table_that_does_not_fit_fails_alone_and_by_name(self):
        self.source(['{match: "*", exclude: [customers_old, tmp_*, countries], write_disposition: merge, incremental: updated_at}', MERGE])
        self.project.ok("run")
        self.sql("CREATE TABLE public.flat (id int PRIMARY KEY); CREATE TABLE public.loose (updated_at timestamptz); CREATE TABLE public.\"Customers\" (id int PRIMARY KEY, updated_at timestamptz)")
        said = self.fails("run")
        for words in ("public.flat is without the column 'updated_at', which `incremental` names", "public.loose is without a primary key, which `merge` needs",
                      "leave it out by `exclude: public.flat`, or write it under `streams:`", "public.Customers and public.customers would both be the table erp.customers"):
            self.assertIn(words, said)
        self.assertEqual({t: task["status"] for t, task in self.last().items()},
                         {"erp.customers": "failed", "erp.flat": "failed", "erp.loose": "failed", "erp.sales_order_lines": "unchanged"})
        self.assertIn("warning: public.flat is without", self.project.ok("validate"))
        self.source(['{match: "*", exclude: [customers_old, tmp_*, countries, flat, loose, Customers], write_disposition: merge, incremental: updated_at}', MERGE])
        self.project.ok("run")

    def test_a_source_that_is_down(self):
        # Never asked: nobody says that there was nothing to do.
        self.source([REPLACE, MERGE], port=1)
        done = self.project.caudal("run")
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn("no table of source erp is known: it could not be asked", done.stdout + done.stderr)
        self.assertIn("nothing listens on port 1", done.stdout)
        # Known: its streams fail one by one, and models of others do not.
        self.source([REPLACE, MERGE])
        self.project.ok("run")
        self.source([REPLACE, MERGE], port=1)
        said = self.fails("run")
        self.assertIn("which tables it has could not be asked, what is known of it counts", said)
        self.assertEqual({t: task["status"] for t, task in self.last().items()}, {"erp.countries": "failed", "erp.customers": "failed", "erp.sales_order_lines": "failed"})
        self.assertEqual(self.tables(), ["erp.countries", "erp.customers", "erp.sales_order_lines"])

    def test_a_fresh_clone_with_models_and_pipelines_validates(self):
        self.project.write("models/silver/l.sql", "SELECT id, line FROM erp.sales_order_lines\n")
        self.project.write("models/silver/c.sql", "SELECT id FROM erp.customers\n")
        self.project.write("pipelines/daily.yaml", "run: ['source:erp', '+silver.c', '+silver.l']\nretries: []\n")
        document = self.json("validate")
        self.assertEqual((document["errors"], document["warnings"]), (0, 1), document)
        self.project.ok("run", "daily")
        self.assertEqual(self.project.rows("SELECT count(*) FROM silver.l"), [["7"]])
        self.assertEqual(self.json("validate")["warnings"], 0)
        # What was remembered is lost: the lake and the models still say enough.
        os.remove(self.project.path(".caudal/catalogs/erp.json"))
        self.assertEqual(self.json("validate")["errors"], 0)
        self.assertIn("erp.countries", self.tables())
        self.project.ok("run", "daily")
        self.assertEqual(self.json("validate")["warnings"], 0)
        # A name that no table has.
        self.project.write("models/silver/x.sql", "SELECT id FROM erp.customrs\n")
        self.assertIn("models/silver/x.sql:1:16: warning: source erp has no table for erp.customrs", self.project.ok("validate"))
        self.assertIn("source erp has no table for erp.customrs", self.fails("run"))
        self.assertEqual(self.last()["silver.x"]["status"], "blocked")

    def test_each_source_of_a_list_has_its_own_tables(self):
        os.remove(self.project.path("sources/erp.yaml"))
        self.source(['{match: "$schema.*", exclude: [customers_old, tmp_load], write_disposition: replace}'], name="all",
                    more="for_each: [{schema: public}, {schema: sales}]\nname: db_$schema\nschema: $schema\n")
        self.project.ok("run")
        self.assertEqual(self.tables(), ["db_public.countries", "db_public.customers", "db_sales.order_lines"])
        self.assertEqual(sorted(os.listdir(self.project.path(".caudal/catalogs"))), ["db_public.json", "db_sales.json"])

    def test_two_runs_at_once_and_one_that_is_killed(self):
        self.project.ok("sources", "erp", "--check")
        self.project.write("pipelines/other.yaml", "run: [erp.customers]\nretries: []\n")
        self.project.write("pipelines/daily.yaml", "run: [erp.sales_order_lines]\nretries: []\n")
        for round_ in range(3):
            self.sql(f"CREATE TABLE public.more_{round_} (id int PRIMARY KEY)")
            done = []
            threads = [threading.Thread(target=lambda name=name: done.append(self.project.caudal("run", name))) for name in ("daily", "other")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual([d.returncode for d in done], [0, 0], [d.stdout + d.stderr for d in done])
            self.assertIn(f"more_{round_}", self.project.ok("validate"))
        for delay in (0.05, 0.2, 0.4, 0.8):
            self.sql(f"CREATE TABLE public.late_{int(delay * 100)} (id int PRIMARY KEY)")
            process = self.project.begin("run", "other")
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.assertEqual(self.json("validate")["errors"], 0)
        self.project.ok("run", "other")
        self.assertIn("late_80", self.project.ok("validate"))

    def test_the_daemon_asks_by_its_schedule(self):
        self.project.write("pipelines/daily.yaml", "schedule: every 1s\nretries: []\n")
        daemon = daemon_process.Daemon(self.project, env=self.project.environment)
        self.addCleanup(daemon.kill)

        def has(table, seconds=60):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if any(t["table"] == table and t["published"] for t in self.json("show")["tables"]):
                    return True
                time.sleep(0.3)
            return False

        self.assertTrue(has("erp.customers"), daemon.lines)
        self.sql("CREATE TABLE public.shops (id int PRIMARY KEY); INSERT INTO shops VALUES (1)")
        self.assertTrue(has("erp.shops"), daemon.lines)
        daemon.stop()
        asked = [line for line in daemon.lines if line.get("event") == "catalog.asked"]
        self.assertTrue(any("public.shops" in line.get("found", "") for line in asked), asked)


@unittest.skipIf(mariadb.REASON, mariadb.REASON)
class Mysql(Cases):
    def test_databases_are_the_schemas(self):
        server = mariadb.Server()
        self.addCleanup(server.close)
        server.sql("CREATE USER reader@'%' IDENTIFIED BY 'pass'; CREATE DATABASE shop; CREATE DATABASE stock; "
                   "GRANT SELECT ON shop.* TO reader@'%'; GRANT SELECT ON stock.* TO reader@'%'; GRANT PROCESS ON *.* TO reader@'%'")
        server.sql("CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1, 'a'), (2, 'b'); CREATE TABLE stock.Parts (code varchar(9) PRIMARY KEY, n int); "
                   "INSERT INTO stock.Parts VALUES ('x', 3); CREATE TABLE tmp_x (id int)", "shop")
        self.project = Project("mysql", "pass")
        self.addCleanup(self.project.remove)
        self.project.write("sources/erp.yaml", f"type: mysql\nhost: 127.0.0.1\nport: {server.port}\ndatabase: shop\nuser: reader\npassword: ${{DB_PASSWORD}}\n"
                           "resource_defaults: {write_disposition: merge}\ntables: [{match: '*', exclude: tmp_*}, stock.*]\n")
        self.project.ok("run")
        self.assertEqual(self.tables(), ["erp.orders", "erp.stock_parts"])
        self.assertEqual(self.project.rows("SELECT code, n FROM erp.stock_parts"), [["x", "3"]])
        server.sql("INSERT INTO orders VALUES (3, 'c'); CREATE TABLE stock.lots (id int PRIMARY KEY)", "shop")
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.orders"), [["3"]])
        self.assertIn("erp.stock_lots", self.tables())


class Sqlite(Cases):
    def setUp(self):
        self.project = Project("sqlite", "")
        self.addCleanup(self.project.remove)
        self.sql("CREATE TABLE Customers (id INTEGER PRIMARY KEY, updated_at TEXT); INSERT INTO Customers VALUES (1, '2026-01-01'), (2, '2026-01-02'); "
                 "CREATE TABLE [Order Lines] (id INTEGER PRIMARY KEY, updated_at TEXT); INSERT INTO [Order Lines] VALUES (1, '2026-01-01'); CREATE TABLE tmp_x (a INTEGER)")
        self.project.write("sources/erp.yaml", "type: sqlite\ndatabase: erp.db\ntables: {match: '*', exclude: tmp_*, write_disposition: merge, incremental: updated_at, freshness: 26h}\n")

    def sql(self, text):
        with sqlite3.connect(self.project.path("erp.db")) as db:
            db.executescript(text)
        db.close()

    def test_tables_of_a_file(self):
        self.project.ok("run")
        self.assertEqual(self.tables(), ["erp.customers", "erp.order_lines"])
        self.sql("INSERT INTO Customers VALUES (3, '2026-01-03'); CREATE TABLE shops (id INTEGER PRIMARY KEY, updated_at TEXT); INSERT INTO shops VALUES (1, '2026-01-01'); DROP TABLE [Order Lines]")
        out = self.project.ok("run")
        self.assertIn("erp: tables at the source: 1 new: shops; 1 gone: Order Lines", out)
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["3"]])
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.order_lines"), [["1"]])
        self.assertEqual(self.json("sources", "erp")["sources"][0]["streams"][0]["freshness_seconds"], 26 * 3600)

    def test_rows_of_a_run_as_json(self):
        code, lines = self.documents("run")
        self.assertEqual(code, 0, lines)
        self.assertEqual([(line["source"], line["tables"]) for line in lines if line.get("event") == "catalog.asked"], [("erp", 3)])

    def test_a_raw_rebuild_asks_nobody(self):
        self.project.ok("run")
        os.rename(self.project.path("erp.db"), self.project.path("away.db"))
        self.project.ok("backfill", "erp.customers", "--from-raw")
        self.assertEqual(self.project.rows("SELECT count(*) FROM erp.customers"), [["2"]])


if __name__ == "__main__":
    unittest.main()
