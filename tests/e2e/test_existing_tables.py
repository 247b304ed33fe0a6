"""What others wrote before comes in: folders of Parquet files, with and without columns in their paths, and Delta tables."""
import datetime
import decimal
import os
import shutil
import unittest

import deltalake
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

import shop_project as sp

ROWS = [(1, "France", datetime.date(2010, 12, 1), "1.50"), (2, "Isle of Man / Ramsey", datetime.date(2010, 12, 1), "2.25"),
        (3, "Québec", datetime.date(2010, 12, 2), "3.00"), (4, None, datetime.date(2010, 12, 2), None)]


def table_of(rows):
    return pyarrow.table({"id": pyarrow.array([r[0] for r in rows], pyarrow.int64()), "country": [r[1] for r in rows],
                          "day": pyarrow.array([r[2] for r in rows], pyarrow.date32()),
                          "price": pyarrow.array([None if r[3] is None else decimal.Decimal(r[3]) for r in rows], pyarrow.decimal128(9, 2))})


def texts(rows):
    return [["" if value is None else str(value) for value in row] for row in rows]


class ExistingTables(unittest.TestCase):
    def setUp(self):
        self.shop = sp.Shop()
        self.addCleanup(self.shop.remove)
        shutil.rmtree(self.shop.path("models"))
        for name in os.listdir(self.shop.path("sources")):
            os.remove(self.shop.path("sources", name))

    def rows(self, table):
        return self.shop.rows(f"SELECT id, country, day, price FROM {table} ORDER BY id")[1:]

    def test_a_folder_of_parquet_files_with_columns_in_its_paths(self):
        pyarrow.dataset.write_dataset(table_of(ROWS), self.shop.path("old"), format="parquet",
                                      partitioning=pyarrow.dataset.partitioning(pyarrow.schema([("country", pyarrow.string()), ("day", pyarrow.date32())]),
                                                                                flavor="hive"))
        # The same bytes in two folders are two rows.
        shutil.copytree(self.shop.path("old", "country=France"), self.shop.path("old", "country=Peru"))
        self.shop.write("sources/old.yaml", "type: files\nlocation: old\nstreams:\n  orders: {glob: '**/*.parquet', hive_partitioning: true, partition_by: day}\n")
        self.shop.ok("run")
        expected = texts([ROWS[0], (1, "Peru", *ROWS[0][2:]), *ROWS[1:]])
        self.assertEqual(sorted(self.rows("old.orders")), sorted(expected))
        types = {c["name"]: c["type"] for c in self.shop.json("show", "old.orders")["columns"]}
        self.assertEqual((types["country"], types["day"]), ("VARCHAR", "DATE"))
        self.assertIn("nothing new", self.shop.ok("run"))
        shutil.rmtree(self.shop.path("old"))
        self.shop.ok("backfill", "old.orders", "--from-raw")
        self.assertEqual(sorted(self.rows("old.orders")), sorted(expected), "the raw objects know their folders")
        self.assertEqual(self.shop.caudal("doctor", "--deep").returncode, 0)

    def test_a_folder_value_that_does_not_fit_is_rejected_with_its_row(self):
        os.makedirs(self.shop.path("old", "day=2010-12-01"))
        pyarrow.parquet.write_table(table_of(ROWS[:1]).drop(["day"]), self.shop.path("old", "day=2010-12-01", "a.parquet"))
        self.shop.write("sources/old.yaml", "type: files\nlocation: old\nstreams:\n  orders: {glob: '**/*.parquet', hive_partitioning: true}\n")
        self.shop.ok("run")
        shutil.copytree(self.shop.path("old", "day=2010-12-01"), self.shop.path("old", "day=soon"))
        self.shop.ok("run")
        self.assertEqual(self.rows("old.orders"), texts(ROWS[:1]))
        self.assertEqual(self.shop.rows('SELECT _column, _value FROM old.orders__rejects')[1:], [["day", "soon"]])

    def test_a_delta_table_that_goes_on(self):
        path = self.shop.path("old", "orders")
        deltalake.write_deltalake(path, table_of(ROWS[:2]), partition_by=["country"])
        for row in ROWS[2:]:
            deltalake.write_deltalake(path, table_of([row]), mode="append")
        self.shop.write("sources/old.yaml", "type: delta\nlocation: old\nstreams:\n  orders: {write_disposition: replace}\n"
                                            "  then: {table: orders, version: 1, write_disposition: replace}\n")
        self.assertIn("OK    old", self.shop.ok("connection", "test"))
        self.shop.ok("run")
        self.assertEqual(self.rows("old.orders"), texts(ROWS))
        self.assertEqual(self.rows("old.then"), texts(ROWS[:3]))
        self.assertIn("nothing new", self.shop.ok("run"))
        table = deltalake.DeltaTable(path)
        table.delete("id = 1")
        table.create_checkpoint()
        # A log that was cleaned up begins at its checkpoint.
        for name in os.listdir(os.path.join(path, "_delta_log")):
            if name.endswith(".json") and int(name[:20]) < 3:
                os.remove(os.path.join(path, "_delta_log", name))
        self.shop.write("sources/old.yaml", "type: delta\nlocation: old\nstreams:\n  orders: {write_disposition: replace}\n")
        self.shop.ok("run")
        self.assertEqual(self.rows("old.orders"), texts(ROWS[1:]))
        shutil.rmtree(self.shop.path("old"))
        self.shop.ok("backfill", "old.orders", "--from-raw")
        self.assertEqual(self.rows("old.orders"), texts(ROWS[1:]))

    def test_a_delta_table_that_is_none_or_lost_a_file(self):
        path = self.shop.path("old", "orders")
        deltalake.write_deltalake(path, table_of(ROWS))
        self.shop.write("sources/old.yaml", "type: delta\nlocation: old\nstreams:\n  orders: {write_disposition: replace}\n  nothing: {write_disposition: replace}\n")
        os.makedirs(self.shop.path("old", "nothing"))
        failed = self.shop.caudal("run", "--no-retry")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("is no Delta table", failed.stdout)
        self.assertEqual(self.rows("old.orders"), texts(ROWS))
        deltalake.write_deltalake(path, table_of(ROWS), mode="append")
        for name in os.listdir(path):
            if name.endswith(".parquet"):
                os.remove(os.path.join(path, name))
        failed = self.shop.caudal("run", "-s", "old.orders", "--no-retry")
        self.assertIn("a file that the Delta table's log names is missing", failed.stdout)
        self.assertEqual(self.rows("old.orders"), texts(ROWS), "nothing was published")

    def test_a_table_of_caudal_comes_into_another_project(self):
        other = sp.day_one()
        self.addCleanup(other.remove)
        self.shop.write("sources/old.yaml", f"type: delta\nlocation: {other.path('lake')}\nstreams:\n"
                                            "  daily: {table: gold/daily, select: [order_date, country, lines, revenue], write_disposition: replace}\n")
        self.shop.ok("run")
        columns = "order_date, country, lines, revenue"
        self.assertEqual(self.shop.rows(f"SELECT {columns} FROM old.daily ORDER BY ALL"), other.rows(f"SELECT {columns} FROM gold.daily ORDER BY ALL"))


if __name__ == "__main__":
    unittest.main()
