"""The example shop's scripts: reproducible, and what they promise."""
import email.utils
import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

SHOP = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples", "shop")
DAYS = os.path.join(SHOP, "data", "days")
sys.path.insert(0, os.path.join(SHOP, "scripts"))
import days as drops  # noqa: E402


def script(name, *options):
    command = [sys.executable, os.path.join(SHOP, "scripts", name), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caudal-shop-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)


class Days(Folder):
    def test_the_drops_are_all_there(self):
        found = drops.days(DAYS)
        self.assertEqual(len(found), 20)
        self.assertEqual(sum(len(drops.read(path)) for path in found.values()), 42481)

    def test_writing_what_was_read_gives_the_same_bytes(self):
        for day, path in drops.days(DAYS).items():
            self.assertEqual(drops.to_bytes(drops.read(path)), drops.read_bytes(path), day)


class Erp(Folder):
    def rows(self, file):
        with sqlite3.connect(file) as db:
            return {t: db.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in ("customers", "products", "payments")}

    def make(self, file, until):
        script("make_erp.py", "--days", DAYS, "--until", until, "--out", self.path(file))
        return self.rows(self.path(file))

    def test_in_one_step_or_in_many_it_is_the_same(self):
        at_once = self.make("a.db", "2010-12-14")
        for until in ("2010-12-01", "2010-12-11", "2010-12-13", "2010-12-14"):
            in_steps = self.make("b.db", until)
        self.assertEqual(at_once, in_steps)

    def test_what_changes_on_a_day_says_so(self):
        before, after = self.make("a.db", "2010-12-12"), self.make("a.db", "2010-12-13")
        for table, key in (("customers", 0), ("products", 0), ("payments", 0)):
            old = {row[key]: row for row in before[table]}
            changed = [row for row in after[table] if old.get(row[key]) != row]
            updated = [row for row in changed if row[key] in old]
            self.assertTrue(updated, table)
            self.assertGreater(len(changed), len(updated), table)
            self.assertEqual({row[-1][:10] for row in changed}, {"2010-12-13"}, table)

    def test_it_does_not_go_back(self):
        self.make("a.db", "2010-12-13")
        with self.assertRaises(subprocess.CalledProcessError):
            self.make("a.db", "2010-12-12")


class BadDay(Folder):
    good = os.path.join(DAYS, "2010-12-14.csv.gz")

    def test_truncated_ends_inside_a_row_and_fails_its_checksum(self):
        bad = self.path("2010-12-14.csv.gz")
        script("bad_day.py", "truncated", self.good, bad, "--checksum")
        last = drops.read_bytes(bad).splitlines(keepends=True)[-1]
        self.assertFalse(last.endswith(b"\n"))
        with open(bad, "rb") as f, open(bad + ".sha256") as s:
            self.assertNotEqual(hashlib.sha256(f.read()).hexdigest(), s.read().split()[0])

    def test_broken_cannot_be_unpacked(self):
        bad = self.path("2010-12-14.csv.gz")
        script("bad_day.py", "broken", self.good, bad)
        with self.assertRaises(EOFError), gzip.open(bad) as f:
            f.read()

    def test_spoiled_differs_in_exactly_the_rows_asked_for(self):
        bad = self.path("2010-12-14.csv")
        script("bad_day.py", "spoiled", self.good, bad, "--negative-prices", "3", "--absurd-quantities", "4")
        pairs = [(a, b) for a, b in zip(drops.read(self.good), drops.read(bad)) if a != b]
        self.assertEqual(sum(float(b[5]) < 0 for _, b in pairs), 3)
        self.assertEqual(sum(int(b[3]) >= 1_000_000 for _, b in pairs), 4)
        self.assertEqual(len(pairs), 7)


class LateRows(Folder):
    def test_rows_move_and_none_is_lost(self):
        copy = self.path("days")
        shutil.copytree(DAYS, copy)
        script("late_rows.py", "--days", copy, "--into", "2010-12-13", "--of", "2010-12-09", "--of", "2010-12-10", "--rows", "15")
        before = sorted(row for path in drops.days(DAYS).values() for row in drops.read(path))
        after = sorted(row for path in drops.days(copy).values() for row in drops.read(path))
        self.assertEqual(before, after)
        late = [row for row in drops.read(drops.days(copy)["2010-12-13"]) if row[4] < "2010-12-13"]
        self.assertEqual({row[4][:10] for row in late}, {"2010-12-09", "2010-12-10"})
        self.assertGreaterEqual(len(late), 30)


class Rates(Folder):
    def start(self, until, *options):
        self.until(until)
        port_file = self.path("port")
        server = subprocess.Popen([sys.executable, os.path.join(SHOP, "scripts", "rates_server.py"), "--until-file",
                                   self.path("until"), "--port-file", port_file, *options])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        for _ in range(200):
            if os.path.exists(port_file):
                break
            time.sleep(0.05)
        with open(port_file) as f:
            self.base = f"http://127.0.0.1:{int(f.read())}/v1/rates"

    def until(self, day):
        with open(self.path("until"), "w") as f:
            f.write(day)

    def get(self, url, **headers):
        request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer), answer.headers

    def all(self, url):
        rows = []
        while url:
            page, _ = self.get(url)
            rows += page["results"]
            url = page["paging"]["next_url"]
        return rows

    def test_pages_cover_every_day_once(self):
        self.start("2010-12-13")
        rows = self.all(self.base)
        keys = [(r["rate_date"], r["currency"]) for r in rows]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(len({d for d, _ in keys}), 13)
        self.until("2010-12-14")
        self.assertEqual([r for r in self.all(self.base) if r["rate_date"] < "2010-12-14"], rows)
        self.assertEqual({r["rate_date"] for r in self.all(self.base + "?since=2010-12-13")}, {"2010-12-13", "2010-12-14"})

    def test_nothing_new_is_304(self):
        self.start("2010-12-13")
        _, headers = self.get(self.base)
        for condition in ({"If_Modified_Since": headers["Last-Modified"]}, {"If_None_Match": headers["ETag"]}):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.get(self.base, **condition)
            self.assertEqual(caught.exception.code, 304)
        self.until("2010-12-14")
        page, headers = self.get(self.base, If_Modified_Since=headers["Last-Modified"])
        self.assertEqual(email.utils.parsedate_to_datetime(headers["Last-Modified"]).day, 14)
        self.assertEqual(len(page["results"]), 65)

    def test_it_can_be_down_for_a_while(self):
        self.start("2010-12-13", "--fail", "1")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(self.base)
        self.assertEqual(caught.exception.code, 503)
        self.get(self.base)

    def test_it_goes_with_its_parent(self):
        self.until("2010-12-13")
        starter = ("import subprocess, sys, time, os\n"
                   "p = subprocess.Popen([sys.executable, *sys.argv[1:]])\n"
                   "while not os.path.exists(sys.argv[-1]): time.sleep(0.05)\n"
                   "print(p.pid)\n")
        done = subprocess.run([sys.executable, "-c", starter, os.path.join(SHOP, "scripts", "rates_server.py"), "--until-file",
                               self.path("until"), "--port-file", self.path("port")], check=True, stdout=subprocess.PIPE, timeout=60)
        server = int(done.stdout)
        for _ in range(200):
            if not os.path.exists(f"/proc/{server}"):
                return
            try:
                with open(f"/proc/{server}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":  # ended; its new parent has not looked yet
                        return
            except FileNotFoundError:
                return
            time.sleep(0.05)
        self.fail("the server outlived its parent")


if __name__ == "__main__":
    unittest.main()
