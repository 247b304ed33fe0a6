"""The web page in a real Chromium, against a daemon that serves the example shop after its bad morning."""
import re
import sqlite3
import sys
import os
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import daemon_process as dp  # noqa: E402
import example_shop as es  # noqa: E402
import page_browser as pb  # noqa: E402

USER, PASSWORD = "ana", "a long and plain password"
VIEWER = "leo"
FIRST_LOAD_BYTES = 500_000
MANY_RUNS = 10_000

PAGES = ["/", "/pipelines", "/pipelines/daily", "/pipelines/daily?tab=graph", "/pipelines/daily?tab=details", "/runs", "/graph", "/tables", "/tables/gold.daily_sales",
         "/tables/gold.daily_sales?tab=versions", "/tables/gold.daily_sales?tab=files", "/tables/stores.lines?tab=checks", "/tables/stores.lines?tab=rejects",
         "/tables/silver.orders?tab=lineage", "/tables/silver.orders?tab=tasks", "/tables/silver.orders?tab=sql", "/sources", "/alerts", "/access", "/access?tab=tokens", "/account"]


def many_runs(state_path):
    """The history of a pipeline that ran every 15 minutes for 100 days."""
    with sqlite3.connect(state_path) as db:
        columns = [row[1:3] for row in db.execute("PRAGMA table_info(run)")]
        known = {"pipeline": "quarter", "release": "0" * 64, "command": "{}", "status": "succeeded", "cause": "schedule"}
        for i in range(MANY_RUNS):
            at = 1_700_000_000_000_000 + i * 900_000_000
            row = {**known, "id": f"20231114T{i:06d}-abcdef", "started": at, "ended": at + 20_000_000}
            values = [row.get(name, 0 if "INT" in kind and name != "scheduled" else None if name == "scheduled" else "") for name, kind in columns]
            db.execute(f"INSERT INTO run VALUES ({', '.join('?' * len(values))})", values)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = es.Stage()
        cls.addClassCleanup(cls.stage.close)
        cls.shop = es.ExampleShop(cls.stage)
        for act in es.ACTS[:3]:
            cls.shop.begin(act)
            cls.shop.caudal(*act.words)
        cls.failed_run = cls.shop.json("history", "--limit", "1")["runs"][0]["run"]
        many_runs(cls.shop.path(".caudal", "state.db"))
        cls.daemon = dp.Daemon(cls.shop, env={"RATES_URL": cls.stage.url})
        cls.addClassCleanup(cls.daemon.stop)
        cls.base = "http://" + cls.daemon.wait("http.listening")["address"].removeprefix("http://").rstrip("/")
        cls.browser = pb.Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.make_accounts(cls.daemon.wait("http.setup")["link"])

    @classmethod
    def make_accounts(cls, link):
        """By hand, as the first person does, and one that may only look."""
        window = cls.browser.window(cls.base)
        page = window.page
        window.open(link)
        page.get_by_label("User", exact=True).fill(USER)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        page.get_by_role("heading", name="Today", exact=True).wait_for()
        window.open("/access")
        page.get_by_role("button", name="Add a user").click()
        page.get_by_label("User", exact=True).fill(VIEWER)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("cell", name=VIEWER, exact=True).wait_for()
        cls.cookies = window.context.storage_state()
        cls.setup_complaints = window.complaints
        window.close()

    def window(self, **options):
        window = self.browser.window(self.base, storage_state=self.cookies, **options)
        self.addCleanup(window.close)
        return window

    def clean(self, window):
        self.assertEqual(window.complaints, [])
        self.assertEqual(window.foreign(), [])

    def test_pages_and_deep_links_open(self):
        window = self.window()
        for path in PAGES:
            with self.subTest(path=path):
                window.open(path)
                self.assertEqual(window.page.get_by_role("alert").count(), 0)
                name = path.split("?")[0].rsplit("/", 1)[1]
                self.assertEqual(window.heading().lower(), name or "today")
        self.clean(window)
        self.assertEqual(self.setup_complaints, [])
        self.assertEqual([answer for answer in window.answers if answer[0] >= 400], [])

    def test_a_page_opens_again(self):
        # What the browser has kept is asked for again, and the answer (304) must leave it as it was.
        window = self.window()
        for _ in range(3):
            window.open("/pipelines/daily")
            window.page.reload()
            window.settle()
            self.assertEqual(window.heading(), "daily")
        self.clean(window)

    def test_an_address_that_leads_nowhere_says_so(self):
        window = self.window()
        window.open("/nothing")
        self.assertEqual(window.heading(), "No such page")
        window.page.goto("/runs/20200101T000000-000000")
        told = window.page.get_by_role("alert")
        told.wait_for()
        self.assertIn("20200101T000000-000000", told.inner_text())

    def test_login_by_password(self):
        window = self.browser.window(self.base)
        self.addCleanup(window.close)
        window.open("/tables/gold.daily_sales")
        self.assertEqual(window.heading(), "Log in to Caudal")
        window.log_in(USER, "not my password")
        window.page.get_by_role("alert").wait_for()
        window.log_in(USER, PASSWORD)
        window.page.get_by_role("heading", name="gold.daily_sales").wait_for()  # where one wanted to go
        window.page.get_by_role("button", name=f"Account of {USER}").click()
        window.page.get_by_role("menuitem", name="Log out").click()
        window.page.get_by_role("heading", name="Log in to Caudal").wait_for()
        self.assertEqual(window.foreign(), [])

    def test_who_may_only_look_gets_no_buttons_that_change(self):
        window = self.browser.window(self.base)
        self.addCleanup(window.close)
        window.open("/pipelines/daily")
        window.log_in(VIEWER, PASSWORD)
        window.page.get_by_role("heading", name="daily").wait_for()
        window.settle()
        self.assertEqual(window.page.get_by_role("button", name=re.compile("Run|Pause|Retry")).count(), 0)
        self.assertEqual(window.page.get_by_role("link", name="Access").count(), 0)

    def test_a_failed_run_says_why_and_what_to_do(self):
        window = self.window()
        window.open("/")
        failed = window.page.locator("#failed")
        self.assertIn("the file is cut", failed.inner_text())
        failed.get_by_role("link", name="Open the run").click()
        window.page.wait_for_url(re.compile(f"/runs/{self.failed_run}$"))
        window.settle()
        told = window.page.get_by_role("region", name="What failed").inner_text()
        self.assertIn("sources/stores.yaml:", told)
        self.assertIn("2010-12-14.csv.gz ends inside row 1236 (line 1237)", told)
        self.assertIn("Next: ask for the whole file again", told)
        self.assertIn("6 tables wait for it", told)
        self.assertIn(f"caudal retry {self.failed_run}", window.page.locator("main").inner_text())
        window.page.get_by_role("tab", name="Log").click()
        window.page.get_by_text("task.failed").first.wait_for()
        window.open(f"/runs/{self.failed_run}?task=stores.lines")
        self.assertIn("task.failed", window.page.get_by_role("log", name="Log of stores.lines").inner_text())
        self.clean(window)

    def test_trigger_shows_the_plan_then_runs_to_its_end(self):
        # The morning is mended here: by their names, the tests that look at what failed come before.
        self.shop.whole("14")
        window = self.window()
        window.open("/pipelines/daily")
        window.page.get_by_role("button", name="Run …").click()
        dialog = window.page.get_by_role("dialog", name="Run daily")
        plan = dialog.get_by_role("region", name="What will run")
        plan.get_by_text("stores.lines").wait_for()
        dialog.get_by_role("button", name="Run", exact=True).click()
        window.page.wait_for_url(re.compile(r"/runs/\d{8}T\d{6}-[0-9a-f]{6}$"))
        run = window.page.url.rsplit("/", 1)[1]
        window.page.locator("h1 .badge", has_text="succeeded").wait_for(timeout=120_000)
        row = window.page.get_by_role("row").filter(has_text="stores.lines")
        self.assertIn("succeeded", row.inner_text())
        self.assertEqual([r["status"] for r in self.shop.json("history", "--limit", "5")["runs"] if r["run"] == run], ["succeeded"])
        self.clean(window)

    def test_what_happens_elsewhere_comes_by_itself(self):
        window = self.window()
        window.open("/runs?pipeline=daily")
        window.page.get_by_text("live", exact=True).wait_for()
        before = window.page.locator(".list .name").count()
        self.shop.caudal("run", "daily", "--select", "erp.products")
        window.page.wait_for_function("(n) => document.querySelectorAll('.list .name').length > n", arg=before)
        self.clean(window)

    def test_pause_and_resume(self):
        window = self.window()
        window.open("/pipelines/daily")
        window.page.get_by_role("button", name="Pause …").click()
        dialog = window.page.get_by_role("dialog", name="Pause daily")
        dialog.get_by_text("These times will not run").wait_for()
        dialog.get_by_role("button", name="Pause", exact=True).click()
        window.page.get_by_role("button", name="Resume …").click()
        window.page.get_by_role("dialog", name="Resume daily").get_by_role("button", name="Resume", exact=True).click()
        window.page.get_by_role("button", name="Pause …").wait_for()
        self.clean(window)

    def test_search_and_keys(self):
        window = self.window()
        window.open("/")
        window.page.keyboard.press("Tab")
        self.assertEqual(window.page.evaluate("document.activeElement.textContent"), "To the content")
        window.page.keyboard.press("/")
        window.page.get_by_role("combobox").wait_for()
        window.page.keyboard.type("daily_sal")
        window.page.get_by_role("option", name=re.compile("gold.daily_sales")).wait_for()
        window.page.keyboard.press("Enter")
        window.page.get_by_role("heading", name="gold.daily_sales").wait_for()
        window.page.keyboard.press("/")
        window.page.keyboard.press("Escape")
        self.assertEqual(window.page.locator("dialog").count(), 0)
        window.open("/pipelines/daily")
        cell = window.page.locator("[role=gridcell] [tabindex='0']")
        cell.focus()
        window.page.keyboard.press("ArrowDown")
        window.page.keyboard.press("ArrowRight")
        self.assertEqual(window.page.evaluate("document.activeElement.dataset.at"), "1 1")
        window.page.keyboard.press("Enter")
        window.page.wait_for_url(re.compile(r"/runs/.*\?task="))
        self.clean(window)

    def test_ten_thousand_runs(self):
        window = self.window()
        window.open("/runs?pipeline=quarter")
        rows = window.page.locator("[role=row]")
        foot = window.page.locator(".list-foot")
        for _ in range(600):
            if "in all" in foot.inner_text():
                break
            window.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
            window.page.wait_for_timeout(50)
        self.assertEqual(foot.inner_text(), "10,000 in all.")
        self.assertLess(rows.count(), 100)  # only those in sight
        rows.last.get_by_role("link", name="quarter").wait_for()
        self.clean(window)

    def test_axe_finds_nothing_serious(self):
        for scheme in ("light", "dark"):
            window = self.window(color_scheme=scheme)
            for path in [*PAGES, f"/runs/{self.failed_run}", f"/runs/{self.failed_run}?task=stores.lines&tab=log", f"/runs/{self.failed_run}?tab=checks"]:
                with self.subTest(path=path, scheme=scheme):
                    window.open(path)
                    self.assertEqual(window.axe(), [])
            window.open("/pipelines/daily")
            window.page.get_by_role("button", name="Run …").click()
            window.page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).wait_for()
            self.assertEqual(window.axe(), [])
        login = self.browser.window(self.base)
        self.addCleanup(login.close)
        login.open("/")
        self.assertEqual(login.axe(), [])

    def test_a_phone_scrolls_only_down(self):
        window = self.window(viewport={"width": 360, "height": 780}, is_mobile=True, has_touch=True)
        for path in [*PAGES, f"/runs/{self.failed_run}", f"/runs/{self.failed_run}?task=stores.lines", f"/runs/{self.failed_run}?tab=log"]:
            with self.subTest(path=path):
                window.open(path)
                self.assertFalse(window.is_too_wide())
        window.page.get_by_role("button", name="Pages").click()
        window.page.get_by_role("dialog", name="Pages").get_by_role("link", name="Tables").click()
        window.page.get_by_role("heading", name="Tables").wait_for()
        self.clean(window)

    def test_the_first_load_is_small(self):
        window = self.window()
        session = window.context.new_cdp_session(window.page)
        session.send("Network.enable")
        sizes = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        window.open("/")
        window.page.wait_for_timeout(500)
        self.assertGreater(sum(sizes), 50_000)
        self.assertLessEqual(sum(sizes), FIRST_LOAD_BYTES)
        sizes.clear()
        window.open("/pipelines")  # a second page: what has its content in its name is not asked for again
        self.assertLess(sum(sizes), 60_000)

    def test_no_script_from_elsewhere_may_run(self):
        window = self.window()
        rules = window.page.goto("/").headers["content-security-policy"]
        scripts = re.search(r"script-src ([^;]*)", rules)[1]
        self.assertEqual(scripts, "'self'")
        window.settle()
        window.page.evaluate("""() => { const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script); }""")
        self.assertIsNone(window.page.evaluate("window.ran ?? null"))

    def test_notices_of_what_is_bundled_go_with_it(self):
        window = self.window()
        text = window.page.goto("/licenses.txt").text()
        for name in ("react-dom", "@tanstack/react-query", "@xyflow/react", "@radix-ui/react-tabs", "d3-zoom", "wouter"):
            self.assertIn(f"## {name} - ", text)


if __name__ == "__main__":
    unittest.main()
