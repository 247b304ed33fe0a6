"""A year of small loads: files are joined by themselves, old versions go, what was named stays, and no row changes."""
import csv
import gzip
import os
import shutil
import unittest

import pyarrow.parquet

import shop_project as sp


def parquet_files(shop, table):
    folder = shop.path("lake", *table.split("."))
    return sorted(os.path.join(d, n) for d, _, names in os.walk(folder) for n in names if n.endswith(".parquet") and "/." not in d and "_delta_log" not in d)


class Maintenance(unittest.TestCase):
    def setUp(self):
        self.shop = sp.day_one()
        self.addCleanup(self.shop.remove)

    def test_optimize_purge_and_savepoint(self):
        sp.day_two(self.shop)
        self.shop.ok("run", "daily")
        before = self.shop.dump()
        first = self.shop.json("history", "stores.lines")["versions"]
        would = self.shop.json("optimize", "stores.lines", "--dry-run")["tables"][0]
        self.assertGreaterEqual(would["files_before"], 2, would)
        done = self.shop.json("optimize")["tables"]
        lines = next(t for t in done if t["table"] == "stores.lines")
        self.assertEqual((lines["files_before"], lines["files_after"]), (would["files_before"], would["files_after"]))
        self.assertEqual(sp.difference(before, self.shop.dump()), "")
        self.assertIn("nothing to join", self.shop.ok("optimize", "stores.lines"))
        plan = self.shop.ok("plan", "daily")
        self.assertIn("nothing", plan.lower(), "joined files are no new rows")

        self.shop.ok("savepoint", "stores.lines", "first-day", "--version", str(min(v["version"] for v in first)), "--comment", "as it began")
        files = parquet_files(self.shop, "stores.lines")
        self.shop.ok("purge", "--keep-versions", "1", "--reader-grace", "0s", "--dry-run")
        self.assertEqual(parquet_files(self.shop, "stores.lines"), files)
        self.shop.ok("purge", "--keep-versions", "1", "--reader-grace", "0s")
        self.assertEqual(self.shop.caudal("doctor", "--deep").returncode, 0, self.shop.caudal("doctor", "--deep").stdout)
        self.assertEqual(sp.difference(before, self.shop.dump()), "")
        self.assertEqual([s["name"] for s in self.shop.json("savepoint", "stores.lines")["savepoints"]], ["first-day"])
        again = self.shop.json("purge", "--keep-versions", "1", "--reader-grace", "0s")["tables"]
        self.assertEqual({(t["files"], t["version"]) for t in again}, {(0, -1)}, "nothing to free: no new version")

        self.shop.ok("rollback", "stores.lines", "--to", "first-day")
        self.assertLess(len(self.shop.rows("SELECT 1 FROM stores.lines")), len(before["stores.lines"]))
        refused = self.shop.caudal("rollback", "erp.customers", "--to", "0")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("was purged", refused.stderr)
        self.shop.ok("run", "daily")
        self.assertEqual(sp.difference(before["gold.daily"], self.shop.dump()["gold.daily"]), "")

    def test_purge_needs_a_rule_and_waits_for_readers(self):
        refused = self.shop.caudal("purge")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("--older-than", refused.stderr)
        sp.day_two(self.shop)
        self.shop.ok("run", "daily")
        purged = self.shop.json("purge", "--keep-versions", "1")["tables"]
        self.assertEqual({t["files"] for t in purged}, {0}, "versions of the last hour may have readers")

    def test_a_stated_retention_is_purged_by_the_run(self):
        shop = self.shop
        with open(shop.path("caudal.yaml"), "a", encoding="utf-8") as project:
            project.write("retention: {keep_versions: 1, reader_grace: 0s}\n")
        with open(shop.path("models", "gold", "daily.sql"), encoding="utf-8") as file:
            model = file.read()
        self.assertIn("materialize: ", model)
        shop.write("models/gold/daily.sql", model.replace("materialize: ", "retention: {}\nmaterialize: ", 1))
        for day in (5, 6, 7, 8):
            shop.customers(f"2010-12-{day:02}T00:00:00Z", [(17800, f"c{day}", "Quito")])
            shop.drop(f"2010-12-{day:02}")
            shop.ok("run", "daily")
        dump = shop.dump()
        horizon = {t["table"]: t["oldest_version"] for t in shop.json("purge", "--keep-versions", "100", "--dry-run")["tables"]}
        self.assertGreaterEqual(horizon["erp.customers"], 3, horizon)
        self.assertEqual(horizon["gold.daily"], 0, "its own rule keeps all")
        kept = shop.json("history", "erp.customers")["versions"][0]["version"] - horizon["erp.customers"]
        self.assertEqual(kept, 2, "what the run began with, what it wrote, and the purge's own commit")
        refused = shop.caudal("rollback", "erp.customers", "--to", "0")
        self.assertIn("was purged", refused.stderr)
        self.assertEqual(shop.caudal("doctor", "--deep").returncode, 0)
        shop.ok("rollback", "erp.customers", "--to", str(horizon["erp.customers"]))
        shop.ok("run", "daily")
        self.assertEqual(sp.difference(dump, shop.dump()), "")

    def test_export(self):
        rows = self.shop.rows("SELECT * FROM gold.daily ORDER BY ALL")
        self.shop.ok("export", "gold.daily", "--to", "daily.csv")
        with open(self.shop.path("daily.csv"), encoding="utf-8", newline="") as f:
            head, *lines = list(csv.reader(f))
        self.assertEqual([head] + sorted(lines), [rows[0]] + sorted(rows[1:]))
        self.shop.ok("export", "stores.lines", "--to", "lines.parquet", "--version", "0")
        table = pyarrow.parquet.read_table(self.shop.path("lines.parquet"))
        self.assertEqual(table.num_rows, len(self.shop.rows("SELECT 1 FROM stores.lines")) - 1)
        self.assertFalse([c for c in table.column_names if c.startswith("_hoodie")], "nothing but the table's own columns")
        for words, told in ((("--to", "daily.csv"), "exists already"), (("--to", "daily.xls"), "format"), (("--to", "no/where.csv"), "cannot write"),
                            (("--to", "x.csv", "--version", "99"), "no version 99")):
            refused = self.shop.caudal("export", "gold.daily", *words)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(told, refused.stderr)
        self.assertEqual([n for n in os.listdir(self.shop.folder) if n.startswith((".caudal-export", "x.csv", "no"))], [])

    def test_a_run_joins_many_small_files(self):
        shop = sp.Shop()
        self.addCleanup(shop.remove)
        shutil.rmtree(shop.path("models"))
        os.remove(shop.path("sources", "erp.yaml"))
        for i in range(1, 35):
            with gzip.open(shop.path("drops", f"{i:02}.csv.gz"), "wt", encoding="utf-8") as out:
                out.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
                          f"{600000 + i},22423,CAKE STAND,{i},2011-01-09 10:00:00,1.25,17850.0,France\n")
            shop.ok("run")
        versions = shop.json("history", "stores.lines", "--limit", "100")["versions"]
        self.assertIn("OPTIMIZE", [v["operation"] for v in versions])
        self.assertLess(len(parquet_files(shop, "stores.lines")), len(versions) + 1)
        self.assertLess(shop.json("show", "stores.lines")["files"], 10)
        self.assertEqual(shop.rows("SELECT count(*), sum(Quantity) FROM stores.lines")[1], ["34", str(sum(range(1, 35)))])
        self.assertEqual(shop.caudal("doctor", "--deep").returncode, 0)


if __name__ == "__main__":
    unittest.main()
