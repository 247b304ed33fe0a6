"""Bad files, bad rows and mended ones: nothing bad is ever visible, nothing good is lost, nothing comes twice."""
import gzip
import os
import unittest

import shop_project as sp


class BadDays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = sp.day_one()
        sp.day_two(cls.before)
        clean = cls.before.copy()
        clean.ok("run", "daily")
        cls.expected = clean.dump()
        clean.remove()

    @classmethod
    def tearDownClass(cls):
        cls.before.remove()

    def setUp(self):
        self.shop = self.before.copy()
        self.addCleanup(self.shop.remove)
        self.file = self.shop.path("drops", "2010-12-03.csv.gz")

    def mend_and_resume(self, failed):
        self.shop.drop("2010-12-03")
        resume = failed.stdout.strip().splitlines()[-1].split()
        self.assertEqual(resume[:2], ["caudal", "retry"], failed.stdout)
        self.shop.ok(*resume[1:])
        self.assertEqual(sp.difference(self.expected, self.shop.dump()), "")

    def test_a_file_cut_inside_a_row_is_refused_by_name_and_nothing_is_visible(self):
        before = self.shop.rows("SELECT count(*) FROM gold.daily")
        sp.rewrite(self.file, lambda text: text[:len(text) // 2].rsplit(",", 1)[0])
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("2010-12-03.csv.gz", failed.stdout)
        self.assertRegex(failed.stdout, r"row \d+|line \d+")
        self.assertEqual(self.shop.rows("SELECT count(*) FROM gold.daily"), before)
        self.assertEqual(self.shop.rows("SELECT count(*) FROM silver.customers WHERE city = 'Quito'")[1], ["100"],
                         "what does not depend on the file was to go on")
        self.mend_and_resume(failed)

    def test_a_file_cut_inside_a_quote_is_refused(self):
        sp.rewrite(self.file, lambda text: text.rstrip("\n") + '\n536999,22423,"REGENCY CAKE')
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("2010-12-03.csv.gz", failed.stdout)
        self.mend_and_resume(failed)

    def test_a_broken_archive_is_refused(self):
        os.truncate(self.file, os.path.getsize(self.file) // 2)
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("2010-12-03.csv.gz", failed.stdout)
        self.mend_and_resume(failed)

    def test_rows_that_break_a_check_are_shown_and_nothing_is_published(self):
        before = self.shop.rows("SELECT count(*), sum(revenue) FROM gold.daily")
        sp.rewrite(self.file, lambda text: text.rstrip("\n") + "\n999999,X,bad price,1,2010-12-03 10:00:00,-5.0,17850.0,France\n")
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("UnitPrice", failed.stdout)
        self.assertIn("999999", failed.stdout, "the failing row was to be shown")
        self.assertEqual(self.shop.rows("SELECT count(*), sum(revenue) FROM gold.daily"), before)
        self.assertEqual(self.shop.rows("SELECT count(*) FROM stores.lines WHERE InvoiceNo = '999999'")[1], ["0"])
        self.mend_and_resume(failed)

    def test_cells_that_are_no_numbers_are_rejected_with_file_and_line(self):
        sp.rewrite(self.file, lambda text: text.rstrip("\n") + "\n999999,X,typo,many,2010-12-03 10:00:00,5.0,17850.0,France\n")
        self.shop.ok("run", "daily")
        self.assertEqual(self.shop.dump()["gold.daily"], self.expected["gold.daily"])
        rejects = self.shop.rows("SELECT _column, _value, _source_file, _source_row FROM stores.lines__rejects")
        self.assertEqual(len(rejects), 2, rejects)
        self.assertEqual(rejects[1][:2], ["Quantity", "many"])
        with gzip.open(self.file, "rt", encoding="utf-8") as f:
            self.assertEqual(int(rejects[1][3]), len(f.read().splitlines()))
        counts = self.shop.json("history", "stores.lines")["versions"]
        newest = max(counts, key=lambda v: v["version"])["counts"]
        self.assertEqual(newest["read"], newest["written"] + newest["rejected"] + newest["deduplicated"])
        self.assertEqual(newest["rejected"], 1)

    def test_a_repaired_file_replaces_exactly_its_own_rows(self):
        sp.rewrite(self.file, lambda text: "\n".join(text.splitlines()[:500]) + "\n")
        self.shop.ok("run", "daily")
        self.assertNotEqual(self.shop.dump()["stores.lines"], self.expected["stores.lines"])
        self.shop.drop("2010-12-03")
        self.shop.ok("run", "daily")
        self.assertEqual(sp.difference(self.expected, self.shop.dump()), "")

    def test_the_same_file_under_two_names_is_loaded_once(self):
        self.shop.ok("run", "daily")
        os.link(self.file, self.shop.path("drops", "copy-of-03.csv.gz"))
        self.shop.ok("run", "daily")
        self.assertEqual(sp.difference(self.expected, self.shop.dump()), "")

    def test_nothing_new_means_nothing_runs(self):
        self.shop.ok("run", "daily")
        versions = {t: self.shop.json("history", t)["versions"] for t in sp.TABLES}
        self.shop.ok("run", "daily")
        self.assertEqual({t: self.shop.json("history", t)["versions"] for t in sp.TABLES}, versions)


if __name__ == "__main__":
    unittest.main()
