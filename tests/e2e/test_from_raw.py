"""`backfill --from-raw`: the source is gone, the bronze tables come back with the same rows."""
import os
import shutil
import unittest

import shop_project as sp


class FromRaw(unittest.TestCase):
    def test_rebuild_after_the_source_is_gone(self):
        shop = sp.day_one()
        self.addCleanup(shop.remove)
        sp.day_two(shop)
        # A killed attempt, a failed check, rejects and merges first.
        shop.killed_at("fsync", 4, "run", "daily")
        path = shop.path("drops", "2010-12-03.csv.gz")
        sp.rewrite(path, lambda text: text + "999999,X,bad price,1,2010-12-03 10:00:00,-5.0,17850.0,France\n")
        shop.caudal("retry")
        shop.caudal("run", "daily")
        sp.rewrite(path, lambda text: text[:text.rindex("999999,")] + "999999,X,typo,many,2010-12-03 10:00:00,5.0,17850.0,France\n")
        shop.ok("run", "daily")
        before = shop.dump()
        rejected = sorted(shop.rows("SELECT _row FROM stores.lines__rejects"))
        shutil.rmtree(shop.path("drops"))
        os.makedirs(shop.path("drops"))
        os.remove(shop.path("erp.db"))
        for table in ("stores.lines", "erp.customers"):
            shop.ok("backfill", table, "--from-raw")
            rebuilt = shop.rows(f"SELECT {sp.TABLES[table]} FROM {table}")[1:]
            self.assertEqual(sp.difference(before[table], rebuilt), "", table)
        self.assertGreaterEqual(len(rejected), 2)

    def test_a_changed_raw_object_is_found_out(self):
        shop = sp.day_one()
        self.addCleanup(shop.remove)
        raw = []
        for folder, _, names in os.walk(shop.path("lake", "raw", "stores")):
            raw += [os.path.join(folder, n) for n in names if not n.endswith(".json")]
        with open(raw[0], "r+b") as f:
            f.seek(20)
            byte = f.read(1)
            f.seek(20)
            f.write(bytes([byte[0] ^ 1]))
        failed = shop.caudal("backfill", "stores.lines", "--from-raw")
        self.assertNotEqual(failed.returncode, 0, failed.stdout)
        self.assertIn(os.path.basename(raw[0]), failed.stdout + failed.stderr)


if __name__ == "__main__":
    unittest.main()
