"""The example shop as its demo plays it, for tests: `make demo` minus what it prints, with copies of the state before each act."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

import shop_project as sp

SHOP = os.path.join(sp.TOP, "examples", "shop")
FIRST_DAYS = ["01", "02", "03", "05", "06", "07", "08", "09", "10", "12"]

# What is compared between two lakes: every column but those that name a run or a moment of one.
TABLES = {
    "erp.customers": "* EXCLUDE (_source_file)",
    "erp.payments": "* EXCLUDE (_source_file)",
    "erp.products": "* EXCLUDE (_source_file)",
    "rates.daily": "* EXCLUDE (_source_file)",
    "stores.lines": "* EXCLUDE (_source_file)",
    "silver.customers": "* EXCLUDE (valid_from) REPLACE (valid_to IS NULL AS valid_to)",
    "silver.lines": "* EXCLUDE (_source_file)",
    "silver.orders": "*",
    "silver.returns": "*",
    "gold.customer_value": "*",
    "gold.daily_sales": "*",
    "gold.product_ranking": "*",
}
ROWS = {name: f"SELECT CAST(r AS VARCHAR) FROM (SELECT {columns} FROM {name}) AS r" for name, columns in TABLES.items()}
PRINTS = " UNION ALL ".join(f"SELECT '{name}', count(*), sum(CAST(hash(CAST(r AS VARCHAR)) AS HUGEINT)) FROM (SELECT {columns} FROM {name}) AS r"
                            for name, columns in TABLES.items())


def script(name, *words):
    subprocess.run([sys.executable, os.path.join(SHOP, "scripts", name), *words], check=True, stdout=subprocess.DEVNULL)


class Stage:
    """The world around the shop: the days' files and the rates API. One for all copies of the shop."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="caudal-stage-")
        self.days = os.path.join(self.folder, "days")
        shutil.copytree(os.path.join(SHOP, "data", "days"), self.days)
        script("late_rows.py", "--days", self.days, "--into", "2010-12-13", "--of", "2010-12-08", "--of", "2010-12-10")
        self.until_file = os.path.join(self.folder, "until")
        port_file = os.path.join(self.folder, "port")
        self.server = subprocess.Popen([sys.executable, os.path.join(SHOP, "scripts", "rates_server.py"), "--until-file", self.until_file,
                                        "--port-file", port_file])
        while not os.path.exists(port_file):
            if self.server.poll() is not None:
                raise AssertionError("the rates API did not start")
            time.sleep(0.02)
        with open(port_file, encoding="ascii") as f:
            self.url = f"http://127.0.0.1:{f.read().strip()}/"

    def close(self):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def until(self, day):
        """The rates API knows the days up to this one, from now on."""
        with open(self.until_file, "w", encoding="ascii") as f:
            f.write(day)


class ExampleShop(sp.Shop):
    """One copy of the shop's folder."""

    def __init__(self, stage):  # pylint: disable=super-init-not-called
        self.stage, self.folder = stage, tempfile.mkdtemp(prefix="caudal-shop-")
        for name in ("caudal.yaml", "sources", "models", "pipelines", "tests"):
            path = os.path.join(SHOP, name)
            (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, self.path(name))
        os.makedirs(self.path("drops"))

    def copy(self):
        other = super().copy()
        other.__class__, other.stage = ExampleShop, self.stage
        return other

    def whole(self, day):
        """The file of a day of December arrives as it should."""
        shutil.copy(os.path.join(self.stage.days, f"2010-12-{day}.csv.gz"), self.path("drops"))

    def bad(self, kind, day):
        name = f"2010-12-{day}.csv.gz"
        script("bad_day.py", kind, os.path.join(self.stage.days, name), self.path("drops", name))

    def begin(self, act):
        """What the world does before the act."""
        self.stage.until(act.until)
        script("make_erp.py", "--days", self.stage.days, "--until", act.until, "--out", self.path("erp.db"))
        act.prepare(self)

    def caudal(self, *words, prefix=(), env=None, timeout=300):
        return super().caudal(*words, prefix=prefix, env={"RATES_URL": self.stage.url, **(env or {})}, timeout=timeout)

    def prints(self):
        """{table: number of rows, sum of the rows' hashes}: equal rows, in whatever order, give equal prints."""
        return {table: tuple(rest) for table, *rest in self.rows(PRINTS)[1:]}

    def difference(self, other, expected, got):
        """What the tables of two shops with other prints differ in, row by row."""
        return "\n".join(f"{table}: {sp.difference(self.rows(ROWS[table]), other.rows(ROWS[table]))}"
                         for table in TABLES if expected[table] != got[table])


class Act:
    """A command of the demo: what happens in the world before it, what is typed, how it ends."""

    def __init__(self, name, until, prepare, words, code=0):
        self.name, self.until, self.prepare, self.words, self.code = name, until, prepare, words, code


# {run} is the run that failed last.
ACTS = [
    Act("the first ten days", "2010-12-12", lambda shop: [shop.whole(day) for day in FIRST_DAYS], ["run", "daily"]),
    Act("the next day", "2010-12-13", lambda shop: shop.whole("13"), ["run", "daily"]),
    Act("the cut file", "2010-12-14", lambda shop: shop.bad("truncated", "14"), ["run", "daily"], 1),
    Act("the spoiled file", "2010-12-14", lambda shop: shop.bad("spoiled", "14"), ["retry", "{run}"], 1),
    Act("the mended day", "2010-12-14", lambda shop: shop.whole("14"), ["retry", "{run}"]),
]
