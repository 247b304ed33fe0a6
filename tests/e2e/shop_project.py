"""A small shop for end-to-end tests: real files and a SQLite database in, gold tables out."""
import collections
import csv
import gzip
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))
DAYS = os.path.join(TOP, "examples", "shop", "data", "days")

FILES = {
    "caudal.yaml": "name: small\ndefaults: {retries: []}\nlimits: {slots: 2, memory: 1GB}\n",
    "sources/stores.yaml": """
type: files
location: drops
streams:
  lines:
    glob: "*.csv.gz"
    columns:
      Quantity: {type: BIGINT, checks: [{max: 100000}]}
      UnitPrice: {type: "DECIMAL(12,3)", checks: [{min: 0}]}
      CustomerID: {type: DOUBLE}
""",
    "sources/erp.yaml": """
type: sqlite
database: erp.db
streams:
  customers:
    table: customers
    write_disposition: merge
    primary_key: id
    incremental: {cursor: updated_at}
""",
    "models/silver/lines.sql": """/* caudal:
materialize: {incremental: append, partition_by: order_date}
*/
SELECT InvoiceNo AS invoice_no, StockCode AS stock_code, Quantity AS quantity,
       CAST(Quantity * UnitPrice AS DECIMAL(14,2)) AS amount,
       CAST(InvoiceDate AT TIME ZONE 'UTC' AS DATE) AS order_date,
       CAST(CustomerID AS BIGINT) AS customer_id, Country AS country
FROM stores.lines
""",
    "models/silver/customers.sql": """/* caudal:
materialize: {snapshot: id}
*/
SELECT id, name, city FROM erp.customers
""",
    "models/gold/daily.sql": """/* caudal:
materialize: {incremental: partitions, partition_by: order_date}
checks: [{unique: [order_date, country]}]
*/
SELECT order_date, country, count(*) AS lines, sum(amount) AS revenue
FROM silver.lines GROUP BY order_date, country
""",
    "models/gold/value.sql": """SELECT c.id, c.city, count(*) AS lines, sum(l.amount) AS revenue
FROM silver.lines AS l JOIN silver.customers AS c ON c.id = l.customer_id AND c.is_current
GROUP BY c.id, c.city
""",
    "pipelines/daily.yaml": "description: everything\nretries: []\n",
}

# What is compared between two lakes: every column but those that name a run or a moment.
TABLES = {
    "stores.lines": "* EXCLUDE (_source_file)",
    "erp.customers": "* EXCLUDE (_source_file)",
    "silver.lines": "*",
    "silver.customers": "id, name, city, is_current",
    "gold.daily": "*",
    "gold.value": "*",
}


class Shop:
    def __init__(self, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="caudal-shop-")
        for name, text in FILES.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        os.makedirs(os.path.join(self.folder, "drops"), exist_ok=True)

    def copy(self):
        """The same shop in another folder, lake and state included."""
        other = object.__new__(Shop)
        other.folder = tempfile.mkdtemp(prefix="caudal-shop-")
        shutil.copytree(self.folder, other.folder, dirs_exist_ok=True)
        return other

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def drop(self, day):
        shutil.copy(os.path.join(DAYS, day + ".csv.gz"), self.path("drops"))

    def customers(self, day, rows):
        """Puts or replaces customers (id, name, city) with updated_at on `day`."""
        with sqlite3.connect(self.path("erp.db")) as db:
            db.execute("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT, updated_at TEXT)")
            db.executemany("INSERT OR REPLACE INTO customers VALUES (?, ?, ?, ?)", [(*row, day) for row in rows])
        db.close()

    def caudal(self, *words, prefix=(), env=None, timeout=300):
        return subprocess.run([*prefix, CAUDAL, *words], cwd=self.folder, text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", **(env or {})})

    def ok(self, *words, **more):
        done = self.caudal(*words, **more)
        assert done.returncode == 0, f"caudal {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def killed_at(self, calls, n, *words):
        """Runs until the n-th of these system calls, of the process or of its workers, kills the one that makes it."""
        return self.caudal(*words, prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}",
                                   "-e", f"inject={calls}:signal=KILL:when={n}"])

    def rows(self, sql):
        out = self.ok("sql", sql, "--output", "csv", "--max-rows", "1000000")
        return list(csv.reader(io.StringIO(out)))

    def json(self, *words):
        return json.loads(self.ok(*words, "--output", "json"))

    def dump(self):
        """Every table's rows as text, ordered: equal lakes give equal dumps."""
        return {table: sorted(map(tuple, self.rows(f"SELECT {columns} FROM {table}")[1:])) for table, columns in TABLES.items()}


def rewrite(path, change):
    """Puts change(text) into a gzip file instead of its text."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        text = f.read()
    with gzip.open(path, "wt", encoding="utf-8", newline="") as f:
        f.write(change(text))


def difference(expected, got):
    """What two dumps (or two lists of rows) differ in, in a few lines; empty where they are equal."""
    if isinstance(expected, dict):
        return "\n".join(f"{t}: {d}" for t in expected for d in [difference(expected[t], got.get(t, []))] if d)
    left, right = collections.Counter(map(tuple, expected)), collections.Counter(map(tuple, got))
    missing, more = list((left - right).elements()), list((right - left).elements())
    return f"{len(missing)} rows missing, such as {missing[:2]}; {len(more)} unexpected, such as {more[:2]}" if missing or more else ""


def day_one():
    shop = Shop()
    for day in ("2010-12-01", "2010-12-02"):
        shop.drop(day)
    shop.customers("2010-12-02T00:00:00Z", [(n, f"c{n}", "Lima") for n in range(17000, 18300)])
    shop.ok("run", "daily")
    return shop


def day_two(shop):
    shop.drop("2010-12-03")
    shop.customers("2010-12-03T00:00:00Z", [(n, f"c{n}", "Quito") for n in range(17800, 17900)])
