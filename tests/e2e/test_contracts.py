"""The source changed its columns: what each word of `schema_contract` does, and who hears of it."""
import os
import sqlite3
import unittest

import duckdb

from test_rejects import bare_shop

STREAM = "type: files\nlocation: drops\nsettle: 0s\nstreams:\n  t:\n    glob: '*.csv'\n    columns: {id: {type: BIGINT}%s}\n%s"


class Contract(unittest.TestCase):
    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)

    def define(self, contract, columns=""):
        self.shop.write("sources/s.yaml", STREAM % (columns, f"    schema_contract: {contract}\n" if contract else ""))

    def first(self, contract=""):
        self.define(contract)
        self.shop.write("drops/a.csv", "id,city\n1,Lima\n")
        self.shop.ok("run")

    def rows(self, columns="*  EXCLUDE (_source_file, _source_row)"):
        return self.shop.rows(f"SELECT {columns} FROM s.t ORDER BY id")

    def newest(self):
        return self.shop.json("history", "s.t")["versions"][0]

    def fails(self, *says):
        failed = self.shop.caudal("run", "--no-retry")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        for text in says:
            self.assertIn(text, failed.stdout)
        return failed

    def events(self, kind):
        return [row[0] for row in self.shop_events() if row[1] == kind]

    def shop_events(self):
        with sqlite3.connect(self.shop.path(".caudal/state.db")) as db:
            return db.execute("SELECT body, kind FROM event ORDER BY sequence").fetchall()


class NewColumn(Contract):
    def add(self):
        self.shop.write("drops/b.csv", "id,city,zip\n2,Quito,\n3,Loja,11\n4,Cusco,12\n")

    def test_is_taken_and_told_by_default(self):
        self.first()
        self.add()
        out = self.shop.ok("run")
        self.assertIn("new column zip as BIGINT (b.csv)", out)
        self.assertEqual(self.rows()[0], ["id", "city", "zip"])
        newest = self.newest()
        self.assertEqual([(d["kind"], d["column"], d["type"], d["origin"]) for d in newest["drift"]], [("new_column", "zip", "BIGINT", "b.csv")])
        self.assertIn("new column zip as BIGINT", self.shop.ok("history", "s.t"))
        shown = self.shop.json("show", "s.t")
        self.assertEqual([d["column"] for d in shown["drift"]], ["zip"])
        self.assertEqual(shown["schema_contract"], {"tables": "evolve", "columns": "evolve", "data_type": "discard_row"})
        self.assertIn("new column zip as BIGINT", self.shop.ok("show", "s.t"))
        self.assertIn("last load: new column zip as BIGINT", self.shop.ok("plan"))
        self.assertEqual(len(self.events("schema.drifted")), 1)
        self.shop.write("drops/c.csv", "id,city,zip\n5,Puno,13\n")
        self.shop.ok("run")
        self.assertEqual(self.newest()["drift"], [])
        self.assertEqual([d["column"] for d in self.shop.json("show", "s.t")["drift"]], ["zip"], "since when is remembered")

    def test_freeze_fails_by_name_and_publishes_nothing(self):
        self.first("freeze")
        self.add()
        self.fails("s.t was not loaded: column zip is new in b.csv, as BIGINT; its contract freezes columns", "sources/s.yaml:5:3", "name zip under `columns:`")
        self.assertEqual(self.rows(), [["id", "city"], ["1", "Lima"]])
        self.assertEqual(len(self.events("schema.drifted")), 1)
        self.define("freeze", ", zip: {type: VARCHAR}")
        self.shop.ok("retry")
        self.assertEqual(self.rows("id, zip")[1:], [["1", ""], ["2", ""], ["3", "11"], ["4", "12"]])

    def test_discard_value_leaves_it_out_and_counts(self):
        self.first("{columns: discard_value}")
        self.add()
        out = self.shop.ok("run")
        self.assertIn("new column zip is left out, 2 values discarded (b.csv)", out)
        self.assertEqual(self.rows(), [["id", "city"], ["1", "Lima"], ["2", "Quito"], ["3", "Loja"], ["4", "Cusco"]])
        self.assertEqual(self.newest()["counts"], {"read": 3, "written": 3, "rejected": 0, "deduplicated": 0, "discarded_values": 2})
        self.shop.ok("backfill", "s.t", "--from-raw")
        self.assertEqual(self.rows()[0], ["id", "city"])

    def test_discard_row_rejects_the_rows_that_have_it(self):
        self.first("{columns: discard_row}")
        self.add()
        self.shop.ok("run")
        self.assertEqual(self.rows(), [["id", "city"], ["1", "Lima"], ["2", "Quito"]])
        counts = self.newest()["counts"]
        self.assertEqual((counts["read"], counts["written"], counts["rejected"]), (3, 1, 2))
        report = self.shop.json("show", "s.t", "--rejects")
        self.assertEqual([(r["rows"], r["column"], r["origin"]) for r in report["reasons"]], [(2, "zip", "b.csv")])
        self.define("")
        self.shop.ok("retry", "--rejects", "s.t")
        self.assertEqual(self.rows("id, zip")[1:], [["1", ""], ["2", ""], ["3", "11"], ["4", "12"]])

    def test_of_a_database(self):
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, city TEXT)")
            db.execute("INSERT INTO t VALUES (1, 'Lima')")
        source = "type: sqlite\ndatabase: erp.db\nschema_contract: {columns: %s}\nstreams: {t: {write_disposition: merge, primary_key: id, incremental: {cursor: id}}}\n"
        self.shop.write("sources/s.yaml", source % "discard_value")
        self.shop.ok("run")
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("ALTER TABLE t ADD COLUMN zip TEXT")
            db.execute("INSERT INTO t VALUES (2, 'Quito', '11'), (3, 'Loja', NULL)")
        self.assertIn("new column zip is left out, 1 value discarded", self.shop.ok("run"))
        self.assertEqual(self.rows("*  EXCLUDE (_source_file, _source_row)"), [["id", "city"], ["1", "Lima"], ["2", "Quito"], ["3", "Loja"]])
        self.shop.write("sources/s.yaml", source % "discard_row")
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("INSERT INTO t VALUES (4, 'Puno', '12'), (5, 'Ica', NULL)")
        self.shop.ok("run")
        self.assertEqual([row[0] for row in self.rows("id")[1:]], ["1", "2", "3", "5"])
        self.shop.write("sources/s.yaml", source % "freeze")
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("INSERT INTO t VALUES (6, 'Jauja', '13')")
        self.fails("column zip is new in s.t")


class MissingColumn(Contract):
    def test_is_null_and_told_once(self):
        self.first()
        self.shop.write("drops/b.csv", "id\n2\n")
        self.assertIn("column city is missing, it is NULL (b.csv)", self.shop.ok("run"))
        self.shop.write("drops/c.csv", "id\n3\n")
        self.shop.ok("run")
        self.assertEqual(self.rows()[1:], [["1", "Lima"], ["2", ""], ["3", ""]])
        self.assertEqual(len(self.events("schema.drifted")), 1)

    def test_freeze_fails(self):
        self.first("{columns: freeze}")
        self.shop.write("drops/b.csv", "id\n2\n")
        self.fails("column city is missing in b.csv")
        self.shop.write("drops/b.csv", "id,city\n2,Quito\n")
        self.shop.ok("retry")
        self.assertEqual(len(self.rows()), 3)


class ValuesThatDoNotFit(Contract):
    def load(self, contract):
        self.first(contract)
        self.shop.write("drops/b.csv", "id,city\n2,Quito\nx,Loja\ny,Cusco\n")

    def test_reject_their_rows_by_default(self):
        self.load("")
        self.assertIn("2 values of id did not fit BIGINT: rejected (b.csv, row 3: 'x')", self.shop.ok("run"))
        self.assertEqual(self.events("schema.drifted"), [], "that is what the alert `rejects` is for")

    def test_freeze_fails(self):
        self.load("{data_type: freeze}")
        self.fails("2 values of id did not fit BIGINT (b.csv, row 3: 'x'); its contract freezes types")
        self.assertEqual(len(self.rows()), 2)

    def test_discard_value_makes_them_null(self):
        self.load("discard_value")
        self.assertIn("2 values of id did not fit BIGINT: set to NULL (b.csv, row 3: 'x')", self.shop.ok("run"))
        self.assertEqual(sorted(self.rows("coalesce(id::VARCHAR, '-'), city")[1:]), [["-", "Cusco"], ["-", "Loja"], ["1", "Lima"], ["2", "Quito"]])
        counts = self.newest()["counts"]
        self.assertEqual((counts["read"], counts["written"], counts["rejected"], counts["discarded_values"]), (3, 3, 0, 2))

    def test_a_wider_type_is_taken_where_the_contract_evolves(self):
        def drop(name, values):
            os.makedirs(self.shop.path("drops"), exist_ok=True)
            duckdb.sql(f"COPY (FROM (VALUES {values}) AS t(id, n)) TO '{self.shop.path('drops', name)}'")

        source = "type: files\nlocation: drops\nsettle: 0s\nschema_contract: %s\nstreams: {t: {glob: '*.parquet'}}\n"
        self.shop.write("sources/s.yaml", source % "{}")
        drop("a.parquet", "(1, 7::INTEGER)")
        self.shop.ok("run")
        drop("b.parquet", "(2, 70000000000::BIGINT), (3, 8::BIGINT)")
        self.assertIn("1 value of n did not fit INTEGER: rejected (b.parquet, row 1: '70000000000')", self.shop.ok("run"))
        self.shop.write("sources/s.yaml", source % "{data_type: evolve}")
        drop("c.parquet", "(4, 80000000000::BIGINT)")
        self.assertIn("column n was INTEGER and is BIGINT now", self.shop.ok("run"))
        self.shop.ok("retry", "--rejects", "s.t")
        self.assertEqual(self.rows("id, n")[1:], [["1", "7"], ["2", "70000000000"], ["3", "8"], ["4", "80000000000"]])
        self.assertIn("column n was INTEGER and is BIGINT now", self.shop.ok("history", "s.t"))


class Tables(Contract):
    def test_a_stream_that_is_written_is_wanted(self):
        self.shop.write("caudal.yaml", "name: small\ndefaults: {retries: [], schema_contract: freeze}\n")
        self.first()
        self.assertEqual(len(self.rows()), 2)
        self.shop.write("drops/b.csv", "id,city,zip\n2,Quito,1\n")
        self.fails("its contract freezes columns")


if __name__ == "__main__":
    unittest.main()
