"""Rows that do not fit: what goes to rejects, what stays, and that every row is accounted for."""
import json
import os
import shutil
import sqlite3
import unittest

import duckdb

import shop_project as sp

STREAMS = """
type: sqlite
database: erp.db
streams:
  customers: {write_disposition: %s, columns: {city: {checks: [%s]}}}
"""


def bare_shop():
    """A project without sources and models."""
    shop = sp.Shop()
    for folder in ("models", "sources", "pipelines"):
        shutil.rmtree(shop.path(folder))
        os.mkdir(shop.path(folder))
    return shop


class Customers(unittest.TestCase):
    """One SQLite table `customers`, one stream that replaces."""

    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)
        self.define()

    def define(self, disposition="replace", checks="not_null"):
        self.shop.write("sources/erp.yaml", STREAMS % (disposition, checks))

    def sql(self, *statements):
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            for statement in statements:
                db.execute(statement)
        db.close()

    def run_it(self, *more):
        return self.shop.ok("run", "-s", "erp.customers", *more)

    def ids(self):
        return [int(row[0]) for row in self.shop.rows("SELECT id FROM erp.customers ORDER BY id")[1:]]

    def counts(self):
        return max(self.shop.json("history", "erp.customers")["versions"], key=lambda v: v["version"])["counts"]


class OfAnotherType(Customers):
    def test_a_value_that_does_not_fit_its_column_is_rejected_alone(self):
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT, spent DECIMAL(10,2), since DATE)",
                 "INSERT INTO customers VALUES (1,'Lima',0.1,'2026-01-01'), (2,'Lima','much','2026-01-01'),"
                 "(3,'Lima',NULL,'someday'), (4,'Lima',7,NULL)")
        self.run_it()
        self.assertEqual(self.ids(), [1, 4])
        self.assertEqual(self.shop.rows("SELECT spent = 0.1::DOUBLE, since FROM erp.customers ORDER BY id")[1:],
                         [["true", "2026-01-01"], ["false", ""]])
        rejects = self.shop.rows("SELECT _column, _value, _source_row, _reason, _source_file LIKE 'raw/erp/customers/%' "
                                 "FROM erp.customers__rejects ORDER BY _source_row")[1:]
        self.assertEqual([r[:3] for r in rejects], [["spent", "much", "2"], ["since", "someday", "3"]])
        self.assertEqual([r[4] for r in rejects], ["true", "true"])
        self.assertIn("DOUBLE", rejects[0][3])
        counts = self.counts()
        self.assertEqual((counts["read"], counts["written"], counts["rejected"]), (4, 2, 2))
        self.shop.ok("backfill", "erp.customers", "--from-raw")
        self.assertEqual(self.ids(), [1, 4], "the raw object holds the rows as they were")


FORMS = {  # column: (type, texts that are such a value and what they become, texts that are none)
    "whole": ("BIGINT", {"7": "7", "-0": "0", "007": "7", "12.0": "12", "1e3": "1000", " 5 ": "5"}, ["12.5", "0x1F", "5e-1", "x", ""]),
    "money": ("DECIMAL(9,2)", {"7": "7.00", ".5": "0.50", "1.230": "1.23", "1e3": "1000.00", "-1.25e1": "-12.50", "1234567.89": "1234567.89"},
              ["1.234", "1.2e-3", "12345678.00", "infinity", "x"]),
    "day": ("DATE", {"2026-01-31": "2026-01-31", "2026-01-31 00:00:00": "2026-01-31"}, ["2026-01-31 10:00:00", "2026-02-30", "x"]),
    "moment": ("TIMESTAMPTZ", {"2026-01-31 10:00:00": "2026-01-31 10:00:00+00", "2026-01-31T10:00:00": "2026-01-31 10:00:00+00",
                               "2026-01-31T10:00:00-03": "2026-01-31 13:00:00+00", "2026-01-31 10:00:00.5": "2026-01-31 10:00:00.5+00"},
           ["infinity", "2026-02-30 10:00:00", "2026-01-31 25:00:00", "someday is no day.."]),
}


class TextThatIsAlmostAValue(unittest.TestCase):
    """No cast rounds, cuts or guesses: a text is exactly a value of its column's type, or its row is rejected."""

    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)
        self.rows, self.kept, self.refused = [], {}, []
        for column, (_, good, bad) in FORMS.items():
            for text in [*good, *bad]:
                self.rows.append({"id": len(self.rows), column: text})
                if text in good:
                    self.kept[len(self.rows) - 1] = good[text]
                else:
                    self.refused.append([str(len(self.rows) - 1), column, text])

    def check(self, form):
        declared = ", ".join(f"{name}: {{type: '{column[0]}'}}" for name, column in FORMS.items())
        self.shop.write("sources/files.yaml", f"type: files\nlocation: drops\nstreams:\n  forms:\n    glob: '*.{form}'\n"
                        f"    columns: {{id: {{type: BIGINT}}, {declared}}}\n")
        self.shop.ok("run", "-s", "files.forms")
        columns = ", ".join(f"{name}::VARCHAR" for name in FORMS)
        rows = self.shop.rows(f"SELECT id, coalesce({columns}) FROM files.forms ORDER BY id")[1:]
        self.assertEqual({int(key): value for key, value in rows}, self.kept)
        rejects = self.shop.rows("SELECT _row::JSON ->> 'id' AS id, _column, _value FROM files.forms__rejects ORDER BY id::BIGINT")[1:]
        self.assertEqual(rejects, self.refused)

    def test_in_json_lines(self):
        self.shop.write("drops/a.ndjson", "".join(json.dumps(row) + "\n" for row in self.rows))
        self.check("ndjson")

    def test_in_parquet(self):
        self.shop.write("drops/a.ndjson", "".join(json.dumps(row) + "\n" for row in self.rows))
        columns = ", ".join(f"{name}: 'VARCHAR'" for name in FORMS)
        duckdb.sql(f"COPY (FROM read_json('{self.shop.path('drops/a.ndjson')}', columns={{id: 'BIGINT', {columns}}})) "
                   f"TO '{self.shop.path('drops/a.parquet')}'")
        self.check("parquet")


class Emptied(Customers):
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT)", "INSERT INTO customers VALUES (1,'Lima'), (2,'Lima')")
        self.run_it()
        self.assertEqual(self.ids(), [1, 2])
        self.sql("DELETE FROM customers")

    def test_a_source_without_rows_empties_a_table_that_it_replaces(self):
        out = self.run_it()
        self.assertEqual(self.ids(), [], out)
        self.assertNotIn("unchanged", out)
        self.run_it()
        self.assertEqual(self.ids(), [])
        self.shop.ok("backfill", "erp.customers", "--from-raw")
        self.assertEqual(self.ids(), [], "rows that were replaced came back from their raw objects")
        self.sql("INSERT INTO customers VALUES (3,'Quito')")
        self.run_it()
        self.assertEqual(self.ids(), [3])

    def test_a_check_holds_it_back(self):
        self.shop.write("sources/erp.yaml", STREAMS.replace("columns", "checks: [{row_count: {min: 1}}], columns") % ("replace", "not_null"))
        self.assertEqual(self.shop.caudal("run", "-s", "erp.customers").returncode, 1)
        self.assertEqual(self.ids(), [1, 2])

    def test_a_table_that_is_gone_is_an_error(self):
        self.sql("DROP TABLE customers")
        failed = self.shop.caudal("run", "-s", "erp.customers")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("no such table", failed.stdout)
        self.assertEqual(self.ids(), [1, 2])


MERGED = """
type: sqlite
database: erp.db
streams:
  customers: {write_disposition: merge, primary_key: id, incremental: {cursor: id}%s}
"""
CHECK = "columns: {city: {checks: [{check: not_null, severity: reject}]}}"


class NamesAndTypes(Customers):
    """What a source may call its columns, and what happens where the project changes its mind about them."""

    def test_columns_may_be_called_like_the_engines_own(self):
        self.shop.write("sources/erp.yaml", MERGED % "")
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT, filename TEXT, _file TEXT, file_row_number INTEGER)",
                 "INSERT INTO customers VALUES (1,'Lima','a.txt','x',7), (2,'Quito','b.txt','y',8)")
        self.run_it()
        self.sql("DELETE FROM customers", "INSERT INTO customers VALUES (2,'Cusco','b2.txt','y2',8), (3,'Loja','c.txt','z',9)")
        self.run_it()
        self.assertEqual(self.shop.rows("SELECT id, city, filename, _file, file_row_number FROM erp.customers ORDER BY id")[1:],
                         [["1", "Lima", "a.txt", "x", "7"], ["2", "Cusco", "b2.txt", "y2", "8"], ["3", "Loja", "c.txt", "z", "9"]])
        (row,) = self.shop.json("why", "erp.customers", "--where", "id = 2")["rows"]
        self.assertEqual((row["row"]["_file"], row["version"]), ("y2", 1))

    def test_a_reserved_name_is_refused(self):
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT, _Hoodie_file_name TEXT)", "INSERT INTO customers VALUES (1,'Lima','a')")
        failed = self.shop.caudal("run", "-s", "erp.customers")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("a column '_Hoodie_file_name', which is reserved", failed.stdout)
        self.assertIn("sources/erp.yaml:", failed.stdout)

    def test_another_type_or_layout_is_refused_until_the_table_is_built_anew(self):
        self.shop.write("sources/erp.yaml", MERGED % "")
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT, zone INTEGER)", "INSERT INTO customers VALUES (1,'Lima',7)")
        self.run_it()
        self.shop.write("sources/erp.yaml", MERGED % ", columns: {zone: {type: VARCHAR}}, partition_by: zone")
        self.sql("INSERT INTO customers VALUES (2,'Quito',8)")
        failed = self.shop.caudal("run", "-s", "erp.customers")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("erp.customers.zone is BIGINT in the table, and declared VARCHAR", failed.stdout)
        self.assertIn("caudal backfill erp.customers --from-raw", failed.stdout)
        self.shop.write("sources/erp.yaml", MERGED % ", partition_by: zone")
        failed = self.shop.caudal("run", "-s", "erp.customers")
        self.assertIn("erp.customers is partitioned by (), and `partition_by` says (zone)", failed.stdout)
        self.shop.write("sources/erp.yaml", MERGED % ", columns: {zone: {type: VARCHAR}}, partition_by: zone")
        self.shop.ok("backfill", "erp.customers", "--from-raw")
        self.run_it()
        self.assertEqual(self.shop.rows("SELECT id, zone || '!' AS z FROM erp.customers ORDER BY id")[1:], [["1", "7!"], ["2", "8!"]])
        self.assertEqual(self.shop.json("show", "erp.customers")["partitions"], 2)


class CommitsWithoutRows(unittest.TestCase):
    def test_what_reads_the_table_is_not_built_again(self):
        shop = bare_shop()
        self.addCleanup(shop.remove)
        shop.write("sources/s.yaml", "type: files\nlocation: drops\nstreams: {t: {glob: '*.csv', columns: {id: {type: BIGINT}}}}\n")
        shop.write("models/silver/n.sql", "SELECT count(*) AS n FROM s.t")
        shop.write("drops/a.csv", "id,city\n1,Lima\n")
        shop.ok("run")
        shop.write("drops/b.csv", "id,city\nmany,Quito\n")
        shop.write("drops/c.csv", "id,city\n")
        shop.ok("run")
        self.assertEqual(len(shop.json("history", "s.t")["versions"]), 2, "the reject was to be on record")
        self.assertEqual(shop.rows("SELECT count(*) FROM s.t__rejects")[1], ["1"])
        self.assertEqual(len(shop.json("history", "silver.n")["versions"]), 1)


class ACheckThatCameLater(Customers):
    """Row 1 was published before the check; row 3 comes after it."""

    def setUp(self):
        super().setUp()
        self.shop.write("sources/erp.yaml", MERGED % "")
        self.sql("CREATE TABLE customers (id INTEGER, city TEXT)", "INSERT INTO customers VALUES (1,NULL), (2,'Lima')")

    def more(self):
        self.sql("INSERT INTO customers VALUES (3,NULL), (4,'Quito')")

    def verdict(self, table):
        newest, = self.shop.json("show", table)["checks"]
        return newest["verdict"], newest["failing_rows"]

    def rejected(self, table):
        return [row[0] for row in self.shop.rows(f"SELECT json_extract_string(_row, '$.id') FROM {table}__rejects ORDER BY 1")[1:]]

    def test_published_rows_stay_with_a_warning_and_new_ones_are_rejected(self):
        self.run_it()
        self.shop.write("sources/erp.yaml", MERGED % (", " + CHECK))
        self.more()
        self.run_it()
        self.assertEqual(self.ids(), [1, 2, 4])
        self.assertEqual(self.rejected("erp.customers"), ["3"])
        self.assertEqual(self.verdict("erp.customers"), ("warn", 1))
        self.assertIn("1 of 3 rows", self.shop.ok("check", "-s", "erp.customers"))
        self.run_it("--full-refresh")
        self.assertEqual(self.ids(), [2, 4])

    def model(self, materialize):
        self.shop.write("models/silver/c.sql", f"/* caudal:\nmaterialize: {materialize}\n{CHECK}\n*/\n"
                                               "SELECT id, city FROM erp.customers\n")

    def test_a_model_that_merges_rejects_new_rows_only(self):
        self.model("{incremental: merge, key: id}")
        self.shop.ok("run", "-s", "+silver.c")
        self.assertEqual(self.rejected("silver.c"), ["1"])
        self.more()
        self.shop.ok("run", "-s", "+silver.c")
        self.assertEqual(self.shop.rows("SELECT id FROM silver.c ORDER BY id")[1:], [["2"], ["4"]])
        self.assertIn("3", self.rejected("silver.c"))

    def test_a_version_that_is_rejected_does_not_end_the_one_before_it(self):
        self.model("{snapshot: id}")
        self.shop.ok("run", "-s", "+silver.c")
        self.more()
        self.sql("UPDATE customers SET city = NULL WHERE id = 2")
        self.shop.ok("run", "-s", "+silver.c")
        self.assertEqual(self.shop.rows("SELECT id, city, is_current FROM silver.c ORDER BY id")[1:],
                         [["2", "Lima", "true"], ["4", "Quito", "true"]])


class NoFile(unittest.TestCase):
    def test_files_that_vanished_empty_nothing_and_the_run_says_so(self):
        shop = bare_shop()
        self.addCleanup(shop.remove)
        shop.write("sources/stores.yaml", "type: files\nlocation: drops\nsettle: 0s\nstreams:\n"
                                          "  lines: {glob: '*.csv', write_disposition: replace}\n")
        shop.write("drops/a.csv", "id,city\n1,Lima\n")
        shop.ok("run", "-s", "stores.lines")
        os.remove(shop.path("drops/a.csv"))
        self.assertIn("no file matches *.csv", shop.ok("run", "-s", "stores.lines", "--output", "json"))
        self.assertEqual(shop.rows("SELECT id FROM stores.lines")[1:], [["1"]])
        shop.write("drops/a.csv", "id,city\n")
        shop.ok("run", "-s", "stores.lines")
        self.assertEqual(shop.rows("SELECT id FROM stores.lines")[1:], [], "a header alone is a file without rows")


if __name__ == "__main__":
    unittest.main()
