"""What is typed or written wrong: each mistake gives one error that says where, what and what next; an exit code by
kind; and nothing in the lake changes. docs/cli.md."""
import hashlib
import json
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))

MODEL = "models/gold/daily_sales.sql"
SOURCE = "sources/drops.yaml"
SQLITE_SOURCE = "type: sqlite\ndatabase: erp.db\nstreams:\n  orders:\n    table: orders\n    write_disposition: merge\n    primary_key: id\n"
HTTP_SOURCE = """type: http
client: {base_url: "%s", allow_private: true}
streams:
  daily:
    write_disposition: merge
    primary_key: id
    endpoint: {path: v1/daily, data_selector: results}
"""


def caudal(folder, *words, env=None, timeout=120, stdin=subprocess.DEVNULL):
    return subprocess.run([CAUDAL, *words], cwd=folder, text=True, capture_output=True, timeout=timeout, stdin=stdin,
                          env={**os.environ, "NO_COLOR": "1", **(env or {})})


def tree_hash(folder):
    """Names and bytes of all tables: everything but staging and raw objects, which no reader looks at."""
    digest = hashlib.sha256()
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if os.path.join(at, f) not in [os.path.join(folder, n) for n in (".staging", "raw")])
        for name in sorted(files):
            path = os.path.join(at, name)
            digest.update(os.path.relpath(path, folder).encode() + b"\0")
            with open(path, "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()


class Project:
    """A copy of the project that `caudal init` writes, run once."""

    def __init__(self, like):
        self.folder = os.path.join(tempfile.mkdtemp(prefix="caudal-cli-"), "shop")
        shutil.copytree(like, self.folder, symlinks=True)

    def remove(self):
        shutil.rmtree(os.path.dirname(self.folder), ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def swap(self, name, old, new):
        with open(self.path(name), encoding="utf-8") as f:
            text = f.read()
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new, 1))


class Case:
    """`change` prepares the project and may give something to close afterwards."""

    def __init__(self, name, words, code, says, change=None, env=None, stdout=False):
        self.name, self.words, self.code, self.says = name, words, code, says
        self.change, self.env, self.stdout = change, env, stdout


def write(name, text):
    return lambda project: project.write(name, text)


def swap(name, old, new):
    return lambda project: project.swap(name, old, new)


def locked_database(project):
    project.write("sources/erp.yaml", SQLITE_SOURCE)
    database = sqlite3.connect(project.path("erp.db"), isolation_level=None)
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
    database.execute("INSERT INTO orders VALUES (1, 'apples')")
    database.execute("BEGIN EXCLUSIVE")
    return database


def no_such_table(project):
    project.write("sources/erp.yaml", SQLITE_SOURCE)
    database = sqlite3.connect(project.path("erp.db"))
    database.execute("CREATE TABLE order_lines (id INTEGER PRIMARY KEY)")
    database.close()


def closed_port(project):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    project.write("sources/rates.yaml", HTTP_SOURCE % f"http://127.0.0.1:{port}")


def open_secrets(project):
    project.write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}")
    project.write(".caudal/secrets.env", "RATES_URL=http://127.0.0.1:1\n")
    os.chmod(project.path(".caudal/secrets.env"), 0o644)


def last_log(project, table):
    folder = project.path(f"lake/{table}/_delta_log")
    return os.path.join(folder, sorted(n for n in os.listdir(folder) if re.fullmatch(r"\d{20}\.json", n))[-1])


def cut_log(project):
    path = last_log(project, "gold/daily_sales")
    os.truncate(path, os.path.getsize(path) // 2)


def missing_data_file(project):
    for at, _, files in os.walk(project.path("lake/gold/daily_sales")):
        for name in files:
            if name.endswith(".parquet"):
                return os.remove(os.path.join(at, name))
    raise AssertionError("the table has no data file")


def cycle(project):
    project.write("models/gold/a.sql", "SELECT x FROM gold.b\n")
    project.write("models/gold/b.sql", "SELECT x FROM gold.a\n")


def two_mistakes(project):
    project.swap("caudal.yaml", "defaults:", "defualts:")
    project.swap(SOURCE, "format: csv", "format: cvs")


NEW_DROP = "drops/sales-2026-01-03.csv"
HEAD = "sale_id,sold_on,product,quantity,price\n"

CASES = [
    # What is typed.
    Case("unknown verb", ["rnu"], 2, ["there is no verb 'rnu'", "did you mean 'run'"]),
    Case("unknown option", ["run", "--full-refesh"], 2, ["--full-refesh", "did you mean '--full-refresh'", "caudal run --help"]),
    Case("unknown output", ["show", "--output", "xml"], 2, ["--output", "json"]),
    Case("csv of another verb", ["show", "--output", "csv"], 2, ["--output", "sql"]),
    Case("one word too many", ["validate", "everything"], 2, ["'everything'", "caudal validate --help"]),
    Case("an option without its value", ["show", "drops.sales", "--rows"], 2, ["--rows", "caudal show --help"]),
    Case("a number below zero", ["show", "drops.sales", "--rows=-3"], 2, ["--rows", "-3"]),
    Case("no condition", ["why", "gold.daily_sales"], 2, ["--where", "caudal why --help"]),
    Case("unknown shell", ["completion", "fish"], 2, ["fish", "bash"]),
    Case("unknown template", ["init", "other", "--template", "big"], 2, ["big", "files"]),
    Case("no subject", ["show", "--rejects"], 2, ["no table is named", "caudal show"]),
    Case("a day that is none", ["backfill", "gold.daily_sales", "--start", "2026-02-30"], 2, ["--start", "2026-02-30"]),
    Case("an empty interval", ["backfill", "gold.daily_sales", "--start", "2026-02-02", "--end", "2026-02-01"], 2,
         ["2026-02-02 is not before 2026-02-01"]),
    Case("a backfill of nothing", ["backfill", "gold.daily_sales"], 2, ["--from-raw", "--start"]),
    Case("a model from raw", ["backfill", "gold.daily_sales", "--from-raw"], 2, ["is a model", "--full-refresh"]),
    # Names and paths.
    Case("no such project folder", ["validate", "--project", "nowhere"], 3, ["no folder .*nowhere", "caudal init nowhere"]),
    Case("a folder that is no project", ["run", "--project", "drops"], 3, ["no caudal.yaml in .*drops"]),
    Case("a folder that is not empty", ["init", "."], 2, ["is not empty: it holds", "caudal init shop"]),
    Case("a project below a file", ["init", "caudal.yaml/x"], 2, ["caudal.yaml"]),
    Case("no such query file", ["sql", "-f", "nowhere.sql"], 3, ["nowhere.sql"]),
    Case("an empty query", ["sql", " ; "], 2, ["there is no query", "caudal sql"]),
    Case("a query twice", ["sql", "SELECT 1", "-f", "q.sql"], 2, ["-f", "one of the two"]),
    Case("unknown pipeline", ["run", "dialy"], 3, ["no pipeline is called 'dialy'", "did you mean 'daily'"]),
    Case("a table for a pipeline", ["run", "gold.daily_sales"], 3, ["caudal run -s gold.daily_sales"]),
    Case("unknown selection", ["run", "-s", "gold.daily_slaes"], 3, ["gold.daily_slaes", "gold.daily_sales"]),
    Case("unknown table", ["show", "drops.sale"], 3, ["'drops.sale'", "did you mean 'drops.sales'"]),
    Case("unknown table's history", ["history", "gold.weekly_sales"], 3, ["'gold.weekly_sales'"]),
    Case("unknown run", ["retry", "20990101T000000-abcdef"], 3, ["20990101T000000-abcdef", "caudal history"]),
    Case("nothing to retry", ["retry"], 3, ["no failed or interrupted run", "caudal run"]),
    Case("unknown source", ["connection", "test", "drop"], 3, ["'drop'", "did you mean 'drops'"]),
    Case("unknown unit test", ["test", "gold.weekly_sales"], 3, ["gold.weekly_sales"]),
    Case("a stream rendered", ["render", "drops.sales"], 2, [SOURCE, "has no SQL"]),
    # SQL.
    Case("no SQL", ["sql", "SELEC 1"], 2, [r"query:1:\d+"]),
    Case("a table that is not there", ["sql", "SELECT * FROM gold.daily_slaes"], 2, ["gold.daily_slaes|daily_slaes", "daily_sales"]),
    Case("a column that is not there", ["sql", "SELECT\n  revenu FROM gold.daily_sales"], 2, ["query:2:3", "revenu", "revenue"]),
    Case("a statement that writes", ["sql", "CREATE TABLE x AS SELECT 1"], 2, ["SELECT"]),
    Case("two statements", ["sql", "SELECT 1; SELECT 2"], 2, ["one|SELECT"]),
    Case("a file outside the lake", ["sql", "SELECT * FROM read_csv('/etc/passwd')"], 2, ["read_csv|/etc/passwd"]),
    Case("a condition with a mistake", ["why", "gold.daily_sales", "--where", "revenu > 1"], 2, ["--where", "revenu"]),
    # Project files.
    Case("no YAML", ["run"], 2, [r"caudal.yaml:\d+:\d+"], write("caudal.yaml", "name: [shop\nlake: x\n")),
    Case("bytes that are no text", ["run"], 2, ["caudal.yaml", "UTF-8"], write("caudal.yaml", b"name: sh\xffop\n")),
    Case("an unknown word", ["run"], 2, [SOURCE + r":3:1", "descripton", "did you mean 'description'"], swap(SOURCE, "description:", "descripton:")),
    Case("an unknown connector", ["run"], 2, [SOURCE + ":2:", "filez", "files"], swap(SOURCE, "type: files", "type: filez")),
    Case("an unknown column type", ["run"], 2, [SOURCE + r":\d+:", "BIGNIT"], swap(SOURCE, "BIGINT, checks: [not_null]", "BIGNIT, checks: [not_null]")),
    Case("an unknown check", ["run"], 2, [MODEL + r":\d+:", "not_nul", "not_null"], swap(MODEL, "[not_null]", "[not_nul]")),
    Case("a check without its argument", ["run"], 2, [SOURCE + r":\d+:", "min"], swap(SOURCE, "[{min: 1}]", "[min]")),
    Case("an unknown severity", ["run"], 2, [SOURCE + r":\d+:", "shout", "warn"], swap(SOURCE, "{min: 1}", "{min: 1, severity: shout}")),
    Case("a duration that is none", ["run"], 2, [r"caudal.yaml:\d+:", "5 minutes", "m"], swap("caudal.yaml", "[5m, 15m, 60m]", "[5 minutes]")),
    Case("a schedule that is none", ["run"], 2, [r"pipelines/daily.yaml:\d+:"], swap("pipelines/daily.yaml", "0 5 * * *", "0 25 * * *")),
    Case("a pipeline of nothing", ["run"], 2, [r"pipelines/daily.yaml:\d+:", "gold.daily_slaes", "gold.daily_sales"],
         write("pipelines/daily.yaml", "run: [gold.daily_slaes]\n")),
    Case("a test of nothing", ["run"], 2, [r"tests/daily_sales.yaml:\d+:", "gold.daily_sale"],
         swap("tests/daily_sales.yaml", "model: gold.daily_sales", "model: gold.daily_sale")),
    Case("a lake outside the project", ["run"], 2, [r"caudal.yaml:\d+:", r"\.\./lake"], swap("caudal.yaml", "lake: lake", "lake: ../lake")),
    Case("a model with no SQL", ["run"], 2, [MODEL + ":"], swap(MODEL, "SELECT\n", "SELEC\n")),
    Case("a model's unknown column", ["run"], 2, [MODEL + r":\d+:\d+", "quantty", "quantity"], swap(MODEL, "sum(quantity) AS", "sum(quantty) AS")),
    Case("a model's unknown table", ["run"], 2, [MODEL + r":\d+:\d+", "drops.sale", "drops.sales"], swap(MODEL, "FROM drops.sales", "FROM drops.sale")),
    Case("dbt's templates", ["run"], 2, [MODEL + r":\d+:\d+", "drops.sales"], swap(MODEL, "FROM drops.sales", "FROM {{ ref('sales') }}")),
    Case("models in a circle", ["run"], 2, [r"models/gold/[ab].sql", "gold.a", "gold.b"], cycle),
    Case("all mistakes at once", ["validate"], 2, [r"caudal.yaml:\d+:\d+: error.*defualts", SOURCE + r":\d+:\d+: error.*cvs", "2 errors"],
         two_mistakes, stdout=True),
    # What a run meets.
    Case("a file cut inside a row", ["run", "--no-retry"], 1, ["sales-2026-01-03.csv", r"(row|line) \d", "caudal retry"],
         write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n7,2026-01-"), stdout=True),
    Case("an open quote", ["run", "--no-retry"], 1, ["sales-2026-01-03.csv", "caudal retry"],
         write(NEW_DROP, HEAD + '6,2026-01-03,"apples,1,1.00\n'), stdout=True),
    Case("rows that break a check", ["run", "--no-retry"], 1, ["drops.sales", "quantity", "-4", "gold.daily_sales.*waits for drops.sales"],
         write(NEW_DROP, HEAD + "6,2026-01-03,apples,-4,1.00\n"), stdout=True),
    Case("a locked database", ["run", "-s", "source:erp", "--no-retry"], 5, ["erp.orders", "locked"], locked_database, stdout=True),
    Case("no database", ["run", "-s", "source:erp", "--no-retry"], 3, ["erp.orders", "erp.db"], write("sources/erp.yaml", SQLITE_SOURCE), stdout=True),
    Case("no table in the database", ["run", "-s", "source:erp", "--no-retry"], 3, ["erp.orders", "'orders'|orders"], no_such_table, stdout=True),
    Case("no database at all", ["run", "-s", "source:erp", "--no-retry"], 1, ["erp.orders", "erp.db"],
         lambda p: (p.write("sources/erp.yaml", SQLITE_SOURCE), p.write("erp.db", "no database\n" * 200))[0], stdout=True),
    Case("nobody listens", ["run", "-s", "source:rates", "--no-retry"], 5, ["rates.daily", "127.0.0.1"], closed_port, stdout=True),
    Case("a secret that is not set", ["run", "-s", "source:rates", "--no-retry"], 3, ["RATES_URL", "sources/rates.yaml", "export RATES_URL"],
         write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}"), stdout=True),
    Case("secrets that others can read", ["run", "-s", "source:rates", "--no-retry"], 4, ["secrets.env", "chmod 600"], open_secrets, stdout=True),
    Case("a lake's log that was cut", ["sql", "SELECT * FROM gold.daily_sales"], 7, [r"gold\.daily_sales: .*0{20}\.json", "restore gold/daily_sales/_delta_log/0{20}.json", "caudal doctor"], cut_log),
    Case("a data file that is gone", ["doctor"], 7, ["gold.daily_sales", r"\.parquet", "next:"], missing_data_file, stdout=True),
    Case("a state store that is none", ["history"], 7, ["state.db"], write(".caudal/state.db", "this is no database\n" * 500)),
]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="caudal-cli-")
        cls.addClassCleanup(shutil.rmtree, cls.top, True)
        made = caudal(cls.top, "init", "shop")
        assert made.returncode == 0, made.stderr
        cls.good = os.path.join(cls.top, "shop")
        ran = caudal(cls.good, "run", "daily")
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def project(self):
        project = Project(self.good)
        self.addCleanup(project.remove)
        return project

    def examine(self, case):
        project = self.project()
        held = case.change(project) if case.change else None
        before = tree_hash(project.path("lake"))
        done = caudal(project.folder, *case.words, env=case.env)
        if hasattr(held, "close"):
            held.close()
        said = done.stdout if case.stdout else done.stderr
        everything = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, case.code, everything)
        for pattern in case.says:
            self.assertRegex(said, pattern, everything)
        if not case.stdout:
            self.assertRegex(said, r"^error: ", "one error, and it says so")
            self.assertEqual(said.count("error: "), 1, everything)
            self.assertEqual(done.stdout, "", "a refused command says nothing else")
        for bug in ("terminate called", "CHECK", "Aborted", "std::", "a bug of caudal"):
            self.assertNotIn(bug, done.stderr)
        self.assertEqual(tree_hash(project.path("lake")), before, "something in the lake changed\n" + everything)

    def test_a_full_disk(self):
        project = self.project()
        lake = project.path("lake")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", lake], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", lake], check=False)
        with open(os.path.join(lake, "filler"), "wb") as f:
            f.write(b"x" * (240 << 10))
        done = caudal(project.folder, "run", "--no-retry")
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, "No space left|space|full")
        self.assertFalse(os.path.exists(os.path.join(lake, "drops/sales/_delta_log/00000000000000000000.json")))

    def test_ctrl_c(self):
        project = self.project()
        with socket.socket() as server:  # takes connections and never answers
            server.bind(("127.0.0.1", 0))
            server.listen()
            project.write("sources/rates.yaml", HTTP_SOURCE % f"http://127.0.0.1:{server.getsockname()[1]}")
            run = subprocess.Popen([CAUDAL, "run", "-s", "source:rates"], cwd=project.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            said = ""
            server.settimeout(30)
            while "START" not in said:
                line = run.stdout.readline()
                self.assertTrue(line, said)
                said += line
            connection, _ = server.accept()
            self.addCleanup(connection.close)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, out + err)
        self.assertRegex(out.splitlines()[-1], r"^caudal retry \d{8}T\d{6}-\w+$")
        self.assertIn("stopping", err)
        runs = json.loads(caudal(project.folder, "history", "--output", "json").stdout)["runs"]
        self.assertEqual(runs[0]["status"], "cancelled")

    def test_the_last_line_resumes_from_anywhere(self):
        project = self.project()
        project.write(NEW_DROP, HEAD + "6,2026-01-03,apples,-4,1.00\n")
        top = os.path.dirname(project.folder)
        failed = caudal(top, "run", "--project", "shop")
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        project.write(NEW_DROP, HEAD + "6,2026-01-03,apples,4,1.00\n")
        words = failed.stdout.splitlines()[-1].split()
        self.assertEqual(words[:2], ["caudal", "retry"])
        resumed = caudal(top, *words[1:])
        self.assertEqual(resumed.returncode, 0, resumed.stdout + resumed.stderr)

    def test_errors_as_json(self):
        for words, kind, code in ((["run", "dialy"], "not_found", 3), (["rnu"], "invalid_argument", 2), (["show", "x.y"], "not_found", 3)):
            done = caudal(self.good, *words, "--output", "json")
            self.assertEqual(done.returncode, code)
            error = json.loads(done.stdout)["error"]
            self.assertEqual(error["kind"], kind)
            self.assertEqual(sorted(error), ["kind", "message", "next", "where"])
            self.assertEqual(done.stderr, "")

    def test_there_is_no_project(self):
        with tempfile.TemporaryDirectory() as folder:
            done = caudal(folder, "run")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertRegex(done.stderr, "caudal.yaml")
            self.assertRegex(done.stderr, "next: .*caudal init")
            self.assertEqual(os.listdir(folder), [])


def add_case(case):
    def test(self):
        self.examine(case)
    setattr(BadInput, "test_" + re.sub(r"\W+", "_", case.name), test)


for one in CASES:
    add_case(one)


class GoodInput(unittest.TestCase):
    """What each verb prints, in both forms."""

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="caudal-cli-")
        cls.addClassCleanup(shutil.rmtree, cls.top, True)
        made = caudal(cls.top, "init", "shop")
        assert made.returncode == 0, made.stderr
        cls.folder = os.path.join(cls.top, "shop")
        cls.first = caudal(cls.folder, "run", "daily")
        assert cls.first.returncode == 0, cls.first.stdout + cls.first.stderr

    def text(self, *words):
        done = caudal(self.folder, *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("\x1b", done.stdout, "a pipe gets no colours")
        return done.stdout

    def json(self, *words):
        return json.loads(self.text(*words, "--output", "json"))

    def test_a_run_in_a_pipe(self):
        lines = self.first.stdout.splitlines()
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d  1 of 2  START  drops.sales$")
        self.assertTrue(any(re.search(r"1 of 2  OK     drops.sales  5 rows  .* KB  .* s", line) for line in lines), lines)
        self.assertRegex(lines[-1], r"^Done. 2 succeeded in ")

    def test_a_run_with_nothing_new(self):
        out = self.text("run", "daily")
        self.assertRegex(out, "SKIP   drops.sales  unchanged")
        self.assertRegex(out.splitlines()[-1], "Done. 0 succeeded, 2 unchanged in .*: nothing was new")

    def test_a_run_on_a_terminal(self):
        master, slave = pty.openpty()
        run = subprocess.Popen([CAUDAL, "run", "daily", "--full-refresh", "-s", "gold.daily_sales"], cwd=self.folder, stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
        os.close(slave)
        screen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux: the other end is closed
                break
            screen += part
        os.close(master)
        self.assertEqual(run.wait(timeout=60), 0, screen)
        self.assertIn(b"1 of 1  ...    gold.daily_sales", screen)
        self.assertIn(b"\x1b[1A\r\x1b[J", screen, "the moving line was to be drawn over")
        self.assertNotIn(b"\x1b[3", screen, "NO_COLOR was set")
        self.assertIn(b"Done. 1 succeeded", screen)

    def test_a_run_as_json(self):
        events = [json.loads(line) for line in self.text("run", "--output", "json").splitlines()]
        self.assertEqual(events[0]["event"], "run.started")
        self.assertEqual(events[-1]["event"], "report")
        self.assertEqual(events[-1]["status"], "succeeded")
        self.assertIsNone(events[-1]["resume"])
        self.assertEqual({t["table"] for t in events[-1]["tasks"]}, {"drops.sales", "gold.daily_sales"})

    def test_sql_in_three_forms(self):
        query = "SELECT product, revenue FROM gold.daily_sales WHERE sold_on = '2026-01-01' ORDER BY product"
        self.assertEqual(self.text("sql", query, "--output", "csv"), "product,revenue\napples,6.00\npears,2.50\n")
        document = self.json("sql", query)
        self.assertEqual(document["rows"], [{"product": "apples", "revenue": "6.00"}, {"product": "pears", "revenue": "2.50"}])
        self.assertIn("2 rows", self.text("sql", query))
        self.assertTrue(self.json("sql", "FROM gold.daily_sales", "--max-rows", "1")["truncated"])

    def test_show(self):
        tables = {t["table"]: t for t in self.json("show")["tables"]}
        self.assertEqual(tables["drops.sales"]["rows"], 5)
        one = self.json("show", "gold.daily_sales", "--rows", "2")
        self.assertEqual([c["name"] for c in one["columns"]][:2], ["sold_on", "product"])
        self.assertEqual(len(one["sample"]), 2)
        self.assertTrue(one["checks"])
        self.assertIn("not_null", self.text("show", "gold.daily_sales"))
        sizes = self.text("show", "--sizes")
        self.assertRegex(sizes, r"drops\.sales .*  -  ", "five rows save nothing against CSV, and a negative saving is no word")
        self.assertNotRegex(sizes, r"-\d+ %")
        self.assertRegex(sizes, r"as CSV .*: nothing saved")

    def test_why(self):
        document = self.json("why", "drops.sales", "--where", "sale_id = 4")
        self.assertEqual(len(document["rows"]), 1)
        self.assertEqual(document["rows"][0]["raw"]["row"], 2)
        self.assertIn("sales-2026-01-02.csv", document["rows"][0]["raw"]["origin"])
        self.assertEqual(document["rows"][0]["from"], [])

    def test_why_of_a_row_that_was_computed(self):
        row = self.json("why", "gold.daily_sales", "--where", "sold_on = '2026-01-02'", "--limit", "1")["rows"][0]
        self.assertIsNone(row["raw"])
        (source,) = row["from"]
        self.assertEqual((source["table"], source["version"]), ("drops.sales", 0))
        self.assertEqual(source["where"], f"sold_on = '2026-01-02' AND product = '{row['row']['product']}'")
        count = self.json("sql", f"SELECT count(*) AS n FROM drops.sales WHERE {source['where']}")["rows"][0]["n"]
        self.assertEqual((source["count"], len(source["rows"])), (count, 1))
        self.assertIn("sales-2026-01-02.csv", source["rows"][0]["raw"]["origin"])
        text = self.text("why", "gold.daily_sales", "--where", "sold_on = '2026-01-02'", "--limit", "1")
        self.assertRegex(text, r"  from    drops\.sales, \d rows? of version 0 where sold_on = '2026-01-02' AND product = ")
        self.assertRegex(text, r"      source  .*sales-2026-01-02\.csv, row \d")

    def test_history(self):
        self.assertEqual(self.json("history")["runs"][-1]["status"], "succeeded")
        counts = self.json("history", "drops.sales")["versions"][0]["counts"]
        self.assertEqual((counts["read"], counts["written"], counts["rejected"]), (5, 5, 0))

    def test_the_others(self):
        self.assertTrue(self.json("validate")["ok"])
        self.assertEqual({i["table"] for i in self.json("plan")["items"]}, {"drops.sales", "gold.daily_sales"})
        self.assertEqual(self.json("check")["fail"], 0)
        self.assertEqual(self.json("test")["passed"], 1)
        self.assertTrue(self.json("connection", "test")["sources"][0]["ok"])
        self.assertTrue(self.json("doctor")["ok"])
        self.assertIn("FROM drops.sales", self.json("render", "gold.daily_sales")["sql"])
        for verb in ("validate", "plan", "check", "test", "show", "history", "doctor"):
            self.text(verb)
        for shell in ("bash", "zsh"):
            self.assertIn("complete -o default -F _caudal caudal", self.text("completion", shell))

    def test_completion(self):
        script = self.text("completion", "bash")
        for typed, offered in [("run --full", ["--full-refresh"]), ("show drops.", ["drops.sales"]), ("run da", ["daily"]),
                               ("render dr", []), ("render go", ["gold.daily_sales"]), ("test gold.", ["gold.daily_sales"]),
                               ("connection test dr", ["drops"]), ("plan -s +gold.d", ["+gold.daily_sales"]),
                               ("run -s drops.sales,gold", ["drops.sales,gold.daily_sales"]), ("run -s source : d", ["drops"]),
                               ("check --exclude path : models/g", ["models/gold"]), ("--output json history go", ["gold.daily_sales"]),
                               (f"--project {self.top} show dr", [])]:
            with self.subTest(typed=typed):
                words = " ".join(shlex.quote(word) for word in [CAUDAL, *typed.split(" ")])
                done = subprocess.run(["bash", "-c", f'{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _caudal; '
                                                     'echo "${COMPREPLY[@]}"'], cwd=self.folder, capture_output=True, text=True)
                self.assertEqual((done.stdout.split(), done.stderr), (offered, ""))

    def test_help_and_version(self):
        self.assertRegex(self.text("--version"), r"^caudal \d+\.\d+")
        verbs = re.findall(r"^  (\w+) ", self.text("--help"), re.M)
        self.assertIn("backfill", verbs)
        for verb in ("init", "run", "retry", "backfill", "show", "why", "history", "sql", "render", "check", "test", "plan"):
            self.assertIn("Example", self.text(verb, "--help"), verb)


if __name__ == "__main__":
    unittest.main()
