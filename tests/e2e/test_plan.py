"""What `plan` says, a run then does: no more and no less."""
import unittest

import shop_project as sp


class Plan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = sp.day_one()

    @classmethod
    def tearDownClass(cls):
        cls.before.remove()

    def setUp(self):
        self.shop = self.before.copy()
        self.addCleanup(self.shop.remove)

    def planned(self):
        items = self.shop.json("plan", "daily")["items"]
        return {i["table"]: i["reason"] for i in items if i["action"] not in ("skip", "load", "view")}

    def built(self):
        self.shop.ok("run", "daily")
        run = self.shop.json("history")["runs"][0]
        return {t["table"] for t in run["tasks"] if t["status"] == "succeeded"}

    def test_nothing_changed(self):
        self.assertEqual((self.planned(), self.built()), ({}, set()))

    def test_a_changed_model_rebuilds_what_reads_it_and_only_that(self):
        with open(self.shop.path("models/silver/lines.sql"), encoding="utf-8") as f:
            sql = f.read()
        self.shop.write("models/silver/lines.sql", sql.replace("Quantity AS quantity", "Quantity + 0 AS quantity"))
        plan = self.planned()
        self.assertEqual(set(plan), {"silver.lines", "gold.daily", "gold.value"})
        self.assertIn("silver.lines", plan["gold.value"])
        self.assertEqual(self.built(), set(plan))

    def test_an_ignored_input_is_ignored_by_the_plan_too(self):
        with open(self.shop.path("models/gold/value.sql"), encoding="utf-8") as f:
            sql = f.read()
        self.shop.write("models/gold/value.sql", "/* caudal:\ninputs: {silver.lines: {on_change: ignore}}\n*/\n" + sql)
        self.shop.ok("run", "daily")
        with open(self.shop.path("models/silver/lines.sql"), encoding="utf-8") as f:
            sql = f.read()
        self.shop.write("models/silver/lines.sql", sql.replace("Quantity AS quantity", "Quantity + 0 AS quantity"))
        plan = self.planned()
        self.assertNotIn("gold.value", plan)
        self.assertEqual(self.built(), set(plan))

    def test_through_a_view(self):
        self.shop.write("models/silver/french.sql", "/* caudal:\nmaterialize: view\n*/\nSELECT * FROM silver.lines WHERE country = 'France'")
        self.shop.write("models/gold/french.sql", "SELECT count(*) AS n FROM silver.french")
        self.shop.ok("run", "daily")
        self.shop.write("models/silver/lines.sql", "SELECT 'France' AS country, DATE '2010-12-01' AS order_date, 1.0 AS amount, 1 AS customer_id FROM stores.lines")
        self.assertIn("gold.french", self.planned())
        self.assertIn("gold.french", self.built())


if __name__ == "__main__":
    unittest.main()
