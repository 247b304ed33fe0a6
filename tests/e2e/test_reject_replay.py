"""Rejected rows are loaded again after a fix, exactly once: `caudal retry --rejects`."""
import os
import shutil
import sqlite3
import subprocess
import unittest

import shop_project as sp
from test_rejects import bare_shop

APPEND = "type: files\nlocation: drops\nsettle: 0s\nstreams:\n  t:\n    glob: '*.csv'\n    columns: {id: {type: BIGINT%s}, n: {type: %s}}\n"
CHECK = ", checks: [{check: min, value: 2, severity: reject}]"


class Replay(unittest.TestCase):
    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)

    def rows(self, columns="id, n", table="s.t"):
        return sorted(self.shop.rows(f"SELECT {columns} FROM {table}")[1:])

    def rejected(self, columns="_source_row, _column"):
        return sorted(self.shop.rows(f"SELECT {columns} FROM s.t__rejects")[1:])

    def replay(self, *more):
        return self.shop.ok("retry", "--rejects", "s.t", *more)

    def counts(self):
        counts = self.shop.json("history", "s.t")["versions"][0]["counts"]
        self.assertEqual(counts["read"], counts["written"] + counts["rejected"] + counts["deduplicated"])
        return counts["read"], counts["written"], counts["rejected"], counts["deduplicated"]

    def assert_rebuilt_the_same(self, columns="id, n, _source_file, _source_row"):
        before, rejected = self.rows(columns), self.rejected()
        self.shop.ok("backfill", "s.t", "--from-raw")
        self.assertEqual(self.rows(columns), before)
        self.assertEqual(self.rejected(), rejected, "a rebuild builds the rejects anew, too")


class OfFiles(Replay):
    def load(self):
        self.shop.write("sources/s.yaml", APPEND % (CHECK, "SMALLINT"))
        self.shop.write("drops/a.csv", "id,n\n1,1\n2,2\n3,70000\n")
        self.shop.ok("run")
        self.shop.write("drops/b.csv", "id,n\n1,5\n4,70001\n5,x\n6\n7,7\n")
        self.shop.ok("run")
        self.assertEqual(self.rows(), [["2", "2"], ["7", "7"]])
        self.assertEqual(len(self.rejected()), 6)

    def test_what_fits_now_is_written_and_the_rest_stays(self):
        self.load()
        out = self.replay()
        self.assertIn("6 rejected rows: 0 written, 6 rejected again, 0 overtaken", out)
        self.shop.write("sources/s.yaml", APPEND % (CHECK, "INTEGER"))
        self.assertIn("6 rejected rows: 2 written, 4 rejected again, 0 overtaken", self.replay())
        self.assertEqual(self.counts(), (6, 2, 4, 0))
        self.assertEqual(self.rows("id, n, split_part(_source_file, '/', 3), _source_row"),
                         [["2", "2", "t", "3"], ["3", "70000", "t", "4"], ["4", "70001", "t", "3"], ["7", "7", "t", "6"]])
        self.shop.write("sources/s.yaml", APPEND % ("", "INTEGER"))
        self.replay("--where", "_column = 'id'")
        self.assertEqual(self.rejected(), [["4", "n"], ["5", ""]])
        self.assertEqual(self.rows("id, n, _source_row")[:2], [["1", "1", "2"], ["1", "5", "2"]])
        newest = self.rejected("_task")
        self.assertEqual(len({row[0] for row in newest}), 1, "each stays with the newest reason")
        self.assertIn("no rejected row of s.t meets the condition", self.replay("--where", "_column = 'id'"))
        self.assert_rebuilt_the_same()
        (why,) = self.shop.json("why", "s.t", "--where", "id = 3")["rows"]
        self.assertEqual((why["raw"]["origin"], why["raw"]["row"], why["operation"]), ("a.csv", 4, "REBUILD"))

    def test_the_report(self):
        self.load()
        report = self.shop.json("show", "s.t", "--rejects")
        self.assertEqual((report["rows"], report["runs"], report["last_run"]["rows"]), (6, 2, 4))
        reasons = {(r["reason"], r["column"]): (r["rows"], r["origin"], r["row"], r["value"]) for r in report["reasons"]}
        self.assertEqual(reasons[("not a SMALLINT", "n")], (3, "b.csv", 3, "70001"))
        self.assertIn("`caudal retry --rejects s.t`", report["next"])
        text = self.shop.ok("show", "s.t", "--rejects")
        for words in ("6 rows of s.t rejected since", "b.csv, row 3", "70001", "next: mend the type"):
            self.assertIn(words, text)
        self.shop.write("sources/s.yaml", APPEND % ("", "VARCHAR"))
        self.shop.ok("backfill", "s.t", "--from-raw")
        self.assertEqual(len(self.rows()), 7)
        self.assertEqual(self.shop.json("show", "s.t", "--rejects")["rows"], 1)

    def test_a_repaired_file_and_a_rollback_leave_nothing_to_write_twice(self):
        self.load()
        self.shop.write("drops/b.csv", "id,n\n4,4\n")
        self.shop.ok("run")
        self.shop.write("sources/s.yaml", APPEND % ("", "INTEGER"))
        self.assertIn("6 rejected rows: 2 written, 0 rejected again, 4 overtaken", self.replay())
        self.assertEqual(self.rows(), [["1", "1"], ["2", "2"], ["3", "70000"], ["4", "4"]])
        before = self.shop.json("history", "s.t")["versions"]
        self.shop.ok("rollback", "s.t", "--to", "0")
        self.assertEqual(self.rejected(), [["2", "id"], ["4", "n"]], "they go back with their table")
        self.shop.ok("run")
        self.replay()
        self.assertEqual(self.rows(), [["1", "1"], ["2", "2"], ["3", "70000"], ["4", "4"]])
        self.assertEqual(len(self.shop.json("history", "s.t")["versions"]), len(before) + 3)
        self.assert_rebuilt_the_same()

    def test_a_file_that_was_rejected_whole_and_repaired(self):
        self.shop.write("sources/s.yaml", APPEND % ("", "SMALLINT"))
        self.shop.write("drops/a.csv", "id,n\n1,70000\n")
        self.shop.ok("run")
        self.shop.write("drops/a.csv", "id,n\n1,7\n2,8\n")
        self.shop.ok("run")
        self.shop.write("sources/s.yaml", APPEND % ("", "INTEGER"))
        self.assertIn("1 rejected rows: 0 written, 0 rejected again, 1 overtaken", self.replay())
        self.assertEqual(self.rows(), [["1", "7"], ["2", "8"]])
        self.assert_rebuilt_the_same()

    def test_models_below_take_the_rows(self):
        self.shop.write("models/silver/m.sql", "/* caudal:\nmaterialize: {incremental: append}\n*/\nSELECT id, n FROM s.t\n")
        self.shop.write("sources/s.yaml", APPEND % (CHECK, "INTEGER"))
        self.shop.write("drops/a.csv", "id,n\n1,1\n2,2\n")
        self.shop.ok("run")
        self.shop.write("sources/s.yaml", APPEND % ("", "INTEGER"))
        self.replay()
        self.shop.ok("run")
        self.assertEqual(self.rows(table="silver.m"), [["1", "1"], ["2", "2"]])
        self.assertEqual(self.rows(table="silver.m"), self.rows())

    def test_of_a_model_is_refused_in_words(self):
        self.shop.write("models/silver/m.sql", "SELECT 1 AS a")
        failed = self.shop.caudal("retry", "--rejects", "silver.m")
        self.assertEqual(failed.returncode, 2)
        self.assertIn("is a model: its rows are computed", failed.stderr)
        failed = self.shop.caudal("retry", "--rejects", "silver.n")
        self.assertEqual(failed.returncode, 3)

    def test_a_mistake_in_the_condition(self):
        self.load()
        failed = self.shop.caudal("retry", "--rejects", "s.t", "--where", "_colum = 'id'")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("--where", failed.stdout + failed.stderr)
        self.assertIn("_column", failed.stdout + failed.stderr)
        self.assertEqual(len(self.rejected()), 6)


class OfMerges(Replay):
    """A replayed row does not take the place of a newer row of its key."""

    def define(self, more):
        self.shop.write("sources/s.yaml", "type: files\nlocation: drops\nsettle: 0s\nstreams:\n  t:\n    glob: '*.csv'\n    write_disposition: merge\n    primary_key: id\n"
                        "    columns: {id: {type: BIGINT}, n: {type: %s}}\n" % more)

    def story(self, head, first, second):
        self.shop.write("drops/a.csv", head + first)
        self.shop.ok("run")
        self.shop.write("drops/b.csv", head + second)
        self.shop.ok("run")
        self.define("INTEGER")
        out = self.replay()
        rows = self.rows("id, n, _source_row")
        self.assert_rebuilt_the_same()
        return out, rows

    def test_by_arrival(self):
        self.define("SMALLINT")
        out, rows = self.story("id,n\n", "1,70001\n2,70002\n3,3\n", "1,1\n3,70003\n4,70004\n4,70005\n")
        self.assertIn("5 rejected rows: 3 written, 0 rejected again, 2 overtaken", out)
        self.assertEqual(rows, [["1", "1", "2"], ["2", "70002", "3"], ["3", "70003", "3"], ["4", "70005", "5"]])

    def test_of_a_database_by_its_cursor(self):
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n BIGINT, at INTEGER)")
            db.execute("INSERT INTO t VALUES (1, -1, 1), (2, -2, 2), (3, 3, 3)")
        stream = "type: sqlite\ndatabase: erp.db\nstreams: {t: {columns: {n: {%s}}, write_disposition: merge, primary_key: id, incremental: {cursor: at}}}\n"
        self.shop.write("sources/s.yaml", stream % "checks: [{check: min, value: 0, severity: reject}]")
        self.shop.ok("run")
        with sqlite3.connect(self.shop.path("erp.db")) as db:
            db.execute("UPDATE t SET n = 11, at = 4 WHERE id = 1")
            db.execute("UPDATE t SET n = -3, at = 5 WHERE id = 3")
        self.shop.ok("run")
        self.assertEqual(self.rows(), [["1", "11"], ["3", "3"]])
        self.shop.write("sources/s.yaml", stream % "description: any")
        self.assertIn("3 rejected rows: 2 written, 0 rejected again, 1 overtaken", self.replay())
        self.assertEqual(self.rows(), [["1", "11"], ["2", "-2"], ["3", "-3"]])
        self.assert_rebuilt_the_same("id, n")


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class Killed(Replay):
    """kill -9 at system calls all over the replay: the rows are written once, and taken out once."""

    def setUp(self):
        super().setUp()
        self.shop.write("sources/s.yaml", APPEND % ("", "SMALLINT"))
        self.shop.write("drops/a.csv", "id,n\n" + "".join(f"{i},{i if i % 3 else 70000 + i}\n" for i in range(30)))
        self.shop.ok("run")
        self.shop.write("sources/s.yaml", APPEND % ("", "INTEGER"))
        self.before = self.shop
        other = self.shop.copy()
        self.addCleanup(other.remove)
        other.ok("retry", "--rejects", "s.t")
        self.expected = sorted(other.rows("SELECT id, n FROM s.t")[1:])
        self.assertEqual(len(self.expected), 30)

    def test_at_any_point(self):
        killed = inside = 0
        for calls, points in (("fsync,fdatasync", range(1, 32, 4)), ("link,linkat", range(1, 10)), ("unlink", range(1, 4, 2))):
            for n in points:
                with self.subTest(calls=calls, n=n):
                    self.shop = self.before.copy()
                    done = self.shop.killed_at(calls, n, "retry", "--rejects", "s.t")
                    killed += done.returncode != 0
                    rows = len(self.rows())
                    self.assertIn(rows, (20, 30), "all of them or none")
                    inside += done.returncode != 0 and rows == 30
                    # What a person types: the same again, or the run that was interrupted.
                    if n % 2:
                        self.shop.caudal("retry")
                    self.shop.ok("retry", "--rejects", "s.t")
                    self.assertEqual(self.rows(), self.expected)
                    self.assertEqual(self.rejected(), [])
                    bad = [line for line in self.shop.caudal("doctor").stdout.splitlines() if line.startswith("BAD") and "sent to another place" not in line]
                    self.assertEqual(bad, [])
                    self.shop.remove()
        self.assertGreaterEqual(killed, 8)
        self.assertGreaterEqual(inside, 1, "none was killed between the commit and its record")

    def test_two_at_once(self):
        self.shop = self.before.copy()
        self.addCleanup(self.shop.remove)
        runs = [subprocess.Popen([sp.CAUDAL, "retry", "--rejects", "s.t"], cwd=self.shop.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env={**os.environ, "NO_COLOR": "1"}) for _ in range(2)]
        outs = [run.communicate(timeout=300)[0] for run in runs]
        self.assertIn(sorted(run.returncode for run in runs), ([0, 0], [0, 6]), outs)
        self.assertEqual(self.rows(), self.expected)


if __name__ == "__main__":
    unittest.main()
