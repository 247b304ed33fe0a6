"""Excel files through the whole program: types, drift, rejects and their replay, a rebuild from raw, broken and repaired files."""
import datetime
import os
import unittest

import excel_file
from excel_file import NOT_AVAILABLE
from test_rejects import bare_shop

DAY = datetime.date(2026, 1, 31)
HEAD = ["id", "name", "day", "amount"]


class Excel(unittest.TestCase):
    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)
        self.define()
        os.makedirs(self.shop.path("in"))

    def define(self, options="glob: '*.xlsx'", columns=""):
        self.shop.write("sources/drops.yaml", "type: files\nlocation: in\nsettle: 0s\nstreams:\n  lines:\n    write_disposition: append\n" +
                        "".join(f"    {option}\n" for option in options.split("; ")) + columns)

    def drop(self, name, rows, **more):
        excel_file.write(self.shop.path("in", name), rows if isinstance(rows, dict) else {"Sales": rows}, **more)

    def load(self, code=0):
        done = self.shop.caudal("run", "--no-retry", "-s", "drops.lines")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def rows(self, columns="id, name"):
        return [tuple(row) for row in self.shop.rows(f"SELECT {columns} FROM drops.lines ORDER BY id")[1:]]

    def counts(self):
        counts = self.shop.json("history", "drops.lines")["versions"][0]["counts"]
        self.assertEqual(counts["read"], counts["written"] + counts["rejected"] + counts["deduplicated"])
        return counts["read"], counts["written"], counts["rejected"]

    def types(self):
        return {c["name"]: c["type"] for c in self.shop.json("show", "drops.lines")["columns"] if not c["name"].startswith("_")}


class Cells(Excel):
    def test_each_column_has_the_type_of_its_cells(self):
        stamp = datetime.datetime(2026, 1, 31, 10, 20, 30)
        self.drop("a.xlsx", [["id", "code", "amount", "day", "stamp", "time", "ok", "text"],
                             [1, "007", 12.5, DAY, stamp, datetime.time(8, 30), True, "é 😀, \"q\"\nsecond line"], None,
                             [2, "010", 29.990000000000002, datetime.date(1999, 12, 31), stamp, datetime.time(0, 0), False, None]])
        self.load()
        self.assertEqual(self.types(), {"id": "BIGINT", "code": "VARCHAR", "amount": "DOUBLE", "day": "DATE", "stamp": "TIMESTAMPTZ",
                                        "time": "VARCHAR", "ok": "BOOLEAN", "text": "VARCHAR"})
        self.assertEqual(self.rows("id, code, amount, day, epoch(stamp)::BIGINT, time, ok, text, _source_row"),
                         [("1", "007", "12.5", "2026-01-31", "1769854830", "08:30:00", "true", "é 😀, \"q\"\nsecond line", "2"),
                          ("2", "010", "29.99", "1999-12-31", "1769854830", "00:00:00", "false", "", "4")])
        self.assertEqual(self.counts(), (2, 2, 0))

    def test_sheet_and_range_say_where_the_table_is(self):
        report = [["Sales of May"], None, HEAD, [1, "a", DAY, 5, None, "a note beside it"], [2, "b", DAY, 6]]
        self.drop("a.xlsx", {"lists": [["x"]], "Report": report}, hidden=("lists",))
        self.define("glob: '*.xlsx'; sheet: Report; range: 'A3:D'")
        self.load()
        self.assertEqual(self.rows("id, name, _source_row"), [("1", "a", "4"), ("2", "b", "5")])
        self.drop("b.xlsx", {"Reprot": report})
        out = self.load(code=3)  # nothing of that name is there
        self.assertIn("b.xlsx has no sheet 'Report'; it has: 'Reprot'", out)
        self.assertIn("sources/drops.yaml", out)


class Drift(Excel):
    def test_columns_may_come_go_and_stand_elsewhere(self):
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.load()
        self.drop("b.xlsx", [["amount", "ID", "new"], [6, 2, "x"]])
        out = self.load()
        self.assertIn("column name is missing, it is NULL (b.xlsx)", out)
        self.assertIn("new column new as VARCHAR (b.xlsx)", out)
        self.assertEqual(self.rows("id, name, day, amount, new"), [("1", "a", "2026-01-31", "5", ""), ("2", "", "", "6", "x")])

    def test_a_sheet_of_another_table_is_refused(self):
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.load()
        self.drop("b.xlsx", [["x", "y"], [1, 2]])
        self.assertIn("b.xlsx has no column of drops.lines: it has x, y", self.load(code=1))
        self.assertEqual(len(self.rows()), 1)

    def test_freeze(self):
        self.define("glob: '*.xlsx'; schema_contract: {columns: freeze}")
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.load()
        self.drop("b.xlsx", [HEAD + ["new"], [2, "b", DAY, 6, 7]])
        self.assertIn("column new is new in b.xlsx, as BIGINT", self.load(code=1))


class Rejects(Excel):
    def test_what_does_not_fit_is_told_and_comes_back_after_the_fix(self):
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.load()
        self.drop("b.xlsx", [HEAD, [2, "b", DAY, NOT_AVAILABLE], [3, "c", DAY, "many"], [4, NOT_AVAILABLE, DAY, 7],
                             [5, "e", DAY, 8, "beside"], [6, "f", DAY, excel_file.Raw("><f>D2*2</f>")]])
        self.load()
        self.assertEqual(self.counts(), (5, 1, 4))
        self.assertEqual(self.rows(), [("1", "a"), ("4", "#N/A")])
        found = self.shop.rows("SELECT _reason, _column, _value, _source_row FROM drops.lines__rejects ORDER BY _source_row")[1:]
        self.assertEqual(found, [["not a BIGINT: '#N/A'", "amount", "#N/A", "2"], ["not a BIGINT: 'many'", "amount", "many", "3"],
                                 ["has a value outside of the header's columns A to D, in E5", "", "", "5"],
                                 ["not a BIGINT: '=D2*2'", "amount", "=D2*2", "6"]])
        self.assertIn("b.xlsx", self.shop.ok("show", "drops.lines", "--rejects"))
        self.define("glob: '*.xlsx'", columns="    columns: {amount: {type: VARCHAR}}\n")
        self.shop.ok("backfill", "drops.lines", "--from-raw")
        self.assertEqual(self.rows("id, amount"), [("1", "5"), ("2", "#N/A"), ("3", "many"), ("4", "7"), ("6", "=D2*2")])

    def test_retry_loads_them_once(self):
        self.define(columns="    columns: {amount: {type: TINYINT}}\n")
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5], [2, "b", DAY, 500], [3, "c", DAY, NOT_AVAILABLE]])
        self.load()
        self.assertEqual(self.counts(), (3, 1, 2))
        self.define(columns="    columns: {amount: {type: BIGINT}}\n")
        self.shop.ok("retry", "--rejects", "drops.lines")
        self.assertEqual(self.rows("id, amount"), [("1", "5"), ("2", "500")])
        self.assertEqual(self.shop.rows("SELECT _source_row FROM drops.lines__rejects")[1:], [["4"]])
        self.shop.ok("retry", "--rejects", "drops.lines")
        self.assertEqual(len(self.rows()), 2)

    def test_discard_value_is_null_and_counted(self):
        self.define("glob: '*.xlsx'; schema_contract: {data_type: discard_value}", columns="    columns: {amount: {type: BIGINT}}\n")
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5], [2, "b", DAY, NOT_AVAILABLE]])
        self.load()
        self.assertEqual(self.rows("id, amount"), [("1", "5"), ("2", "")])
        self.assertEqual(self.shop.json("history", "drops.lines")["versions"][0]["counts"]["discarded_values"], 1)


class Files(Excel):
    def test_raw_is_the_file_and_the_table_comes_out_of_it_again(self):
        self.drop("a.xlsx", {"x": [["x"]], "Sales": [HEAD, [1, "a", DAY, 5], None, [2, "b", DAY, 6]]})
        self.define("glob: '*.xlsx'; sheet: Sales")
        self.load()
        raw = [os.path.join(d, f) for d, _, fs in os.walk(self.shop.path(".")) for f in fs if f.endswith(".xlsx") and "raw" in d]
        self.assertEqual(len(raw), 1, raw)
        with open(raw[0], "rb") as kept, open(self.shop.path("in/a.xlsx"), "rb") as came:
            self.assertEqual(kept.read(), came.read())
        before = self.rows("*")
        os.remove(self.shop.path("in/a.xlsx"))
        self.shop.ok("backfill", "drops.lines", "--from-raw")
        self.assertEqual(self.rows("*"), before)

    def test_a_broken_file_is_told_and_a_repaired_one_replaces_its_own_rows(self):
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.drop("b.xlsx", [HEAD, [2, "b", DAY, 6], [3, "c", DAY, 7]])
        with open(self.shop.path("in/b.xlsx"), "rb") as f:
            whole = f.read()
        with open(self.shop.path("in/b.xlsx"), "wb") as f:
            f.write(whole[:len(whole) // 2])
        out = self.load(code=1)
        self.assertIn("b.xlsx is no whole zip archive", out)
        self.assertIn("the file is cut or damaged: ask for it again", out)
        with open(self.shop.path("in/b.xlsx"), "wb") as f:
            f.write(whole)
        self.load()
        self.assertEqual(self.rows(), [("1", "a"), ("2", "b"), ("3", "c")])
        self.drop("b.xlsx", [HEAD, [3, "changed", DAY, 7], [4, "d", DAY, 8], [5, "e", DAY, 9]])
        self.load()
        self.assertEqual(self.rows(), [("1", "a"), ("3", "changed"), ("4", "d"), ("5", "e")])
        self.assertIn("nothing new", self.load())

    def test_a_password_is_told(self):
        with open(self.shop.path("in/a.xlsx"), "wb") as f:
            f.write(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(2000))
        out = self.load(code=1)
        self.assertIn("a.xlsx is protected by a password", out)
        self.assertIn("save it without one", out)

    def test_other_formats_beside_it(self):
        self.drop("a.xlsx", [HEAD, [1, "a", DAY, 5]])
        self.shop.write("in/b.csv", "id,name,day,amount\n2,b,2026-02-01,6\n")
        self.define("glob: '*.*'")
        self.load()
        self.assertEqual(self.rows("id, day, amount"), [("1", "2026-01-31", "5"), ("2", "2026-02-01", "6")])


if __name__ == "__main__":
    unittest.main()
