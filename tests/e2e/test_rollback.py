"""Wrong data is published: the tables go back, the mended source is loaded again, and nobody would know."""
import unittest

import shop_project as sp


class Rollback(unittest.TestCase):
    def setUp(self):
        self.shop = sp.day_one()
        self.addCleanup(self.shop.remove)

    def versions(self, table):
        return [v["version"] for v in self.shop.json("history", table)["versions"]]

    def test_back_and_again(self):
        never = self.shop.copy()
        self.addCleanup(never.remove)
        sp.day_two(never)
        never.ok("run", "daily")
        before = self.shop.dump()

        sp.day_two(self.shop)
        path = self.shop.path("drops", "2010-12-03.csv.gz")
        sp.rewrite(path, lambda text: text.replace(",France", ",Frankreich"))
        self.shop.ok("run", "daily")
        wrong = self.shop.dump()
        self.assertNotEqual(sp.difference(before, wrong), "")

        kept = max(self.versions("stores.lines"))
        would = self.shop.json("rollback", "stores.lines", "--to", "0", "--dry-run")
        self.assertEqual(would["version"], -1)
        self.assertEqual(max(self.versions("stores.lines")), kept, "a dry run changes nothing")
        for table in ("stores.lines", "erp.customers"):
            done = self.shop.json("rollback", table, "--to", "0")
            self.assertEqual((done["to"], done["version"], done["source_again"]), (0, kept + 1, True), done)
            self.assertEqual(sp.difference(before[table], self.shop.rows(f"SELECT {sp.TABLES[table]} FROM {table}")[1:]), "", table)

        sp.rewrite(path, lambda text: text.replace(",Frankreich", ",France"))
        self.shop.ok("run", "daily")
        expected, got = never.dump(), self.shop.dump()
        for table in sp.TABLES:
            if table != "silver.customers":  # a history: it goes on telling what was published
                self.assertEqual(sp.difference(expected[table], got[table]), "", table)
        self.assertEqual(self.shop.caudal("doctor").returncode, 0)

    def test_a_computed_table_builds_again_what_came_after(self):
        before = self.shop.dump()
        sp.day_two(self.shop)
        self.shop.ok("run", "daily")
        after = self.shop.dump()
        self.shop.ok("rollback", "gold.daily", "--to", "0")
        self.assertEqual(sp.difference(before["gold.daily"], self.shop.rows(f"SELECT {sp.TABLES['gold.daily']} FROM gold.daily")[1:]), "")
        self.shop.ok("run", "daily")
        self.assertEqual(sp.difference(after, self.shop.dump()), "")


if __name__ == "__main__":
    unittest.main()
