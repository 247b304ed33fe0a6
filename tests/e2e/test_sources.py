"""Many sources by one file, what is known of each, and loads that bring too few rows."""
import os
import shutil
import time
import unittest

import shop_project as sp

SHOPS = """type: files
for_each: lists/branches.csv
name: shop_$branch
description: The branch in $city
owner: $owner
location: drops/$branch
settle: 0s
freshness: 26h
streams:
  sales: {glob: "*.csv"}
"""
BRANCHES = "branch,city,owner\nnorth,Bilbao,Ann\nsouth,Cádiz,Bob\nwest,Vigo,Eve\n"


class Shops(unittest.TestCase):
    def setUp(self):
        self.shop = sp.Shop()
        self.addCleanup(self.shop.remove)
        for folder in ("models", "sources", "pipelines"):
            shutil.rmtree(self.shop.path(folder))
            os.mkdir(self.shop.path(folder))
        self.shop.write("lists/branches.csv", BRANCHES)
        self.shop.write("sources/shops.yaml", SHOPS)
        self.shop.write("pipelines/daily.yaml", "description: everything\nretries: []\n")
        for number, branch in enumerate(("north", "south", "west")):
            self.sales(branch, "day-1", number + 2)

    def sales(self, branch, day, count, columns="id,amount"):
        rest = ",7" * (columns.count(",") - 1)
        lines = "".join(f"{i},{day[4:]}{i}.50{rest}\n" for i in range(count))  # a file of another's content is not loaded again
        self.shop.write(f"drops/{branch}/{day}.csv", columns + "\n" + lines)

    def sources(self, *words):
        return {s["source"]: s for s in self.shop.json("sources", *words)["sources"]}


class ForEach(Shops):
    def test_validate_shows_what_it_makes(self):
        document = self.shop.json("validate")
        made = document["for_each"]
        self.assertEqual([m["file"] for m in made], ["sources/shops.yaml"])
        self.assertEqual([s["source"] for s in made[0]["sources"]], ["shop_north", "shop_south", "shop_west"])
        self.assertEqual(made[0]["sources"][1]["values"], {"branch": "south", "city": "Cádiz", "owner": "Bob"})
        self.assertEqual(made[0]["sources"][1]["tables"], ["shop_south.sales"])
        text = self.shop.ok("validate")
        self.assertIn("sources/shops.yaml: for_each makes 3 sources", text)
        self.assertIn("  shop_west: sales  (branch=west, city=Vigo, owner=Eve)", text)

    def test_each_has_its_own_tables_cursor_and_raw_folder(self):
        self.shop.ok("run")
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_north.sales")[1], ["2"])
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_west.sales")[1], ["4"])
        self.assertEqual(sorted(os.listdir(self.shop.path("lake/raw"))), ["shop_north", "shop_south", "shop_west"])
        # One of them alone, and again: the others do not move.
        self.sales("south", "day-2", 5)
        self.shop.ok("run", "-s", "shop_south.sales")
        versions = {t["table"]: t["version"] for t in self.shop.json("show")["tables"]}
        self.assertGreater(versions["shop_south.sales"], versions["shop_north.sales"])
        self.assertIn("day-2.csv", self.shop.json("show", "shop_south.sales")["cursor"])
        self.assertNotIn("day-2.csv", self.shop.json("show", "shop_north.sales")["cursor"])
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_south.sales")[1], ["8"])

    def test_a_branch_that_is_down_stops_no_other(self):
        shutil.rmtree(self.shop.path("drops/south"))
        done = self.shop.caudal("run", "--no-retry")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_west.sales")[1], ["4"])
        states = {name: s["state"] for name, s in self.sources().items()}
        self.assertEqual(states, {"shop_north": "ok", "shop_south": "failed", "shop_west": "ok"})

    def test_a_branch_that_is_added_is_one_line(self):
        self.shop.ok("run")
        release = self.shop.json("validate")["release"]
        self.shop.write("lists/branches.csv", BRANCHES + "east,Palma,Ida\n")
        self.sales("east", "day-1", 9)
        self.assertNotEqual(self.shop.json("validate")["release"], release)
        self.shop.ok("run")
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_east.sales")[1], ["9"])
        self.assertEqual(self.shop.rows("SELECT count(*) FROM shop_north.sales")[1], ["2"])


class Listed(Shops):
    def test_before_and_after_a_load(self):
        self.assertEqual({s["state"] for s in self.sources().values()}, {"never loaded"})
        self.assertIsNone(self.sources()["shop_north"]["last_load"])
        self.shop.ok("run")
        north = self.sources("shop_north")["shop_north"]
        self.assertEqual((north["state"], north["owner"], north["description"], north["type"]), ("ok", "Ann", "The branch in Bilbao", "files"))
        self.assertEqual(north["values"]["city"], "Bilbao")
        self.assertEqual(north["last_load"]["rows"], 2)
        self.assertEqual(north["freshness_seconds"], 26 * 3600)
        self.assertLess(north["lag_seconds"], 3600)
        stream = north["streams"][0]
        self.assertEqual(stream["next"], "files that match *.csv but the 1 that were loaded, to day-1.csv, unless they change")
        self.assertEqual(stream["last_load"]["version"], stream["version"])
        text = self.shop.ok("sources")
        for word in ("source", "shop_north", "Ann", "ok", "1d2h"):
            self.assertIn(word, text)
        one = self.shop.ok("sources", "shop_south")
        for word in ("The branch in Cádiz", "branch=south", "shop_south.sales  ok", "files that match"):
            self.assertIn(word, one)

    def test_a_load_with_nothing_new_is_no_sign_of_life(self):
        self.shop.ok("run")
        before = self.sources()["shop_north"]["last_load"]
        self.shop.ok("run")
        self.assertEqual(self.sources()["shop_north"]["last_load"], before)

    def test_late(self):
        self.shop.ok("run")
        self.shop.write("sources/shops.yaml", SHOPS.replace("26h", "1ms"))
        self.assertEqual({s["state"] for s in self.sources().values()}, {"late"})

    def test_drift(self):
        self.shop.ok("run")
        self.assertEqual(self.sources()["shop_north"]["drift"], [])
        self.sales("north", "day-2", 3, "id,amount,discount")
        self.shop.ok("run")
        drift = self.sources()["shop_north"]["drift"]
        self.assertEqual([(d["kind"], d["column"], d["type"]) for d in drift], [("new_column", "discount", "BIGINT")])
        self.shop.ok("optimize")
        self.assertEqual(self.sources()["shop_north"]["drift"], drift)
        self.assertEqual(self.sources()["shop_north"]["last_load"]["rows"], 3)

    def test_paused(self):
        self.shop.ok("run")
        self.shop.ok("pause", "daily")
        self.assertEqual({s["state"] for s in self.sources().values()}, {"paused"})

    def test_a_source_is_reached_only_when_asked(self):
        self.shop.ok("run")
        shutil.rmtree(self.shop.path("drops/west"))
        self.assertNotIn("connection", self.sources()["shop_west"])
        done = self.shop.caudal("sources", "--check", "--output", "json")
        self.assertEqual(done.returncode, 3, done.stdout)
        done = self.shop.caudal("sources", "--check")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertRegex(done.stdout, r"OK +shop_north")
        self.assertRegex(done.stdout, r"FAIL +shop_west\n +error: sources/shops.yaml:1:1: .*west")

    def test_an_unknown_one(self):
        done = self.shop.caudal("sources", "shop_nort")
        self.assertEqual(done.returncode, 3)
        self.assertIn("did you mean 'shop_north'?", done.stderr)


class Volume(Shops):
    def band(self, words):
        self.shop.write("sources/shops.yaml", SHOPS.replace("freshness: 26h", "volume: " + words))

    def count(self):
        return int(self.shop.rows("SELECT count(*) FROM shop_north.sales")[1][0])

    def load(self, day, rows):
        self.sales("north", day, rows)
        return self.shop.caudal("run", "-s", "shop_north.sales", "--no-retry")

    def test_a_file_that_was_cut_at_a_line_end(self):
        self.band("{min: 90, per: file}")
        self.assertEqual(self.load("day-1", 100).returncode, 0)
        done = self.load("day-2", 41)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("volume: day-2.csv: 41 rows, fewer than 90", done.stdout)
        self.assertEqual(self.count(), 100, "nothing of it is published")
        # The repaired file is taken.
        time.sleep(0.05)
        self.assertEqual(self.load("day-2", 100).returncode, 0)
        self.assertEqual(self.count(), 200)

    def test_against_what_is_usual(self):
        self.band("{change: {warn: 20%, fail: 60%}}")
        for day in range(1, 5):
            self.assertEqual(self.load(f"day-{day}", 100).returncode, 0)
        warned = self.load("day-5", 70)
        self.assertEqual(warned.returncode, 0, warned.stdout)
        self.assertIn("70 rows, usually 100 (-30.0 %), more than 20 % away", warned.stdout)
        failed = self.load("day-6", 30)
        self.assertEqual(failed.returncode, 1, failed.stdout)
        self.assertEqual(self.count(), 470)
        verdicts = {c["verdict"] for c in self.shop.json("history", "shop_north.sales", "--checks")["checks"] if c["check"] == "volume"}
        self.assertEqual(verdicts, {"pass", "warn", "fail"})

    def test_a_warning_publishes(self):
        self.band("{max: 5, severity: warn}")
        self.assertEqual(self.load("day-1", 3).returncode, 0)
        done = self.load("day-2", 50)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("50 rows, more than 5", done.stdout)
        self.assertEqual(self.count(), 53)

    def test_the_first_load_and_a_full_refresh_read_a_history_at_once(self):
        self.band("{max: 120}")
        for day in range(1, 4):
            self.sales("north", f"day-{day}", 100)
        self.assertEqual(self.load("day-4", 100).returncode, 0)
        self.assertEqual(self.load("day-5", 100).returncode, 0)
        done = self.shop.caudal("run", "-s", "shop_north.sales", "--full-refresh")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.count(), 500)


if __name__ == "__main__":
    unittest.main()
