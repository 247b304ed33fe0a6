"""What is typed or written wrong: each mistake gives one error that says where, what and what next; an exit code by
kind; and nothing in the lake changes. docs/cli.md."""
import hashlib
import json
import os
import pty
import re
import resource
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import source_mistakes
from mistakes import CASES, HEAD, HTTP_SOURCE, NEW_DROP

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))


def caudal(folder, *words, env=None, timeout=120, stdin=subprocess.DEVNULL):
    return subprocess.run([CAUDAL, *words], cwd=folder, text=True, capture_output=True, timeout=timeout, stdin=stdin,
                          env={**os.environ, "NO_COLOR": "1", **(env or {})})


def tree_hash(folder):
    """Names and bytes of all tables: everything but staging, raw objects and locks, which no reader looks at."""
    digest = hashlib.sha256()
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if os.path.join(at, f) not in [os.path.join(folder, n) for n in (".staging", "raw")])
        for name in sorted(set(files) - {".lake.lock"}):
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


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="caudal-cli-")
        cls.addClassCleanup(shutil.rmtree, cls.top, True)
        made = caudal(cls.top, "init", "shop")
        assert made.returncode == 0, made.stderr
        cls.good = os.path.join(cls.top, "shop")
        # Each case works in a copy, and Iceberg's paths are absolute: a copied lake is one to complete.
        with open(os.path.join(cls.good, "caudal.yaml"), "a", encoding="utf-8") as config:
            config.write("formats: [delta, hudi]\n")
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

    def test_a_lake_that_cannot_be_written(self):
        project = self.project()
        lake = project.path("lake")
        if subprocess.run(["mount", "--bind", lake, lake], capture_output=True, check=False).returncode != 0:
            self.skipTest("a folder cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", lake], check=False)
        subprocess.run(["mount", "-o", "remount,ro,bind", lake], check=True)
        project.write(NEW_DROP, HEAD + "6,2026-01-03,apples,4,1.00\n")
        before = tree_hash(lake)
        done = caudal(project.folder, "run", "--no-retry")
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "(?s)drops.sales.*lake.*Read-only.*next: make the lake's folder writable")
        self.assertEqual(tree_hash(lake), before)
        for words in (["show"], ["check"], ["sql", "FROM gold.daily_sales"], ["why", "drops.sales", "--where", "sale_id = 4"]):
            looked = caudal(project.folder, *words)
            self.assertEqual(looked.returncode, 0, f"{words}: who only looks needs no right to write\n{looked.stdout}{looked.stderr}")

    def read_only(self, project):
        if subprocess.run(["mount", "--bind", project.folder, project.folder], capture_output=True, check=False).returncode != 0:
            self.skipTest("a folder cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", project.folder], check=False)
        subprocess.run(["mount", "-o", "remount,ro,bind", project.folder], check=True)

    def test_a_project_that_cannot_be_written(self):
        looks = (["show"], ["show", "gold.daily_sales"], ["history"], ["history", "drops.sales"], ["sql", "FROM gold.daily_sales"], ["validate"], ["plan"],
                 ["render", "gold.daily_sales"], ["why", "drops.sales", "--where", "sale_id = 4"])
        project = self.project()
        runs = len(json.loads(caudal(project.folder, "history", "--output", "json").stdout)["runs"])
        self.read_only(project)
        for words in looks:
            looked = caudal(project.folder, *words)
            self.assertEqual(looked.returncode, 0, f"{words}: who only looks needs no right to write\n{looked.stdout}{looked.stderr}")
        self.assertEqual(len(json.loads(caudal(project.folder, "history", "--output", "json").stdout)["runs"]), runs)
        for words in (["run"], ["check"], ["retry"]):
            done = caudal(project.folder, *words)
            self.assertIn(done.returncode, (3, 4), f"{words}\n{done.stdout}{done.stderr}")
            self.assertRegex(done.stderr, "next: ")
        never_run = self.project()
        shutil.rmtree(never_run.path(".caudal"))
        self.read_only(never_run)
        for words in looks:
            self.assertEqual(caudal(never_run.folder, *words).returncode, 0, words)

    def test_a_killed_runs_state_in_a_project_that_cannot_be_written(self):
        project = self.project()
        left = sqlite3.connect(project.path(".caudal/state.db"), isolation_level=None)
        left.execute("PRAGMA wal_autocheckpoint = 0")
        left.execute("UPDATE run SET pipeline = 'other'")
        for name in ("state.db", "state.db-wal"):
            shutil.copy(project.path(".caudal/" + name), os.path.dirname(project.folder))
        left.close()
        for name in ("state.db", "state.db-wal"):
            shutil.copy(os.path.join(os.path.dirname(project.folder), name), project.path(".caudal"))
        self.read_only(project)
        done = caudal(project.folder, "history")
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertRegex(done.stderr, "next: a run was killed and left what only a writer can read")

    def limited(self, project, what, most, user=None):
        """A run under a limit of the system, as another user where root has none."""
        def limit():
            resource.setrlimit(what, (most, most))
            if user:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
        return subprocess.run([CAUDAL, "run", "--full-refresh", "--no-retry"], cwd=project.folder, text=True, capture_output=True, timeout=120,
                              stdin=subprocess.DEVNULL, preexec_fn=limit)

    def test_files_that_may_not_grow(self):
        project = self.project()
        before = tree_hash(project.path("lake"))
        for most in (0, 1000, 9000):
            done = self.limited(project, resource.RLIMIT_FSIZE, most)
            self.assertEqual(done.returncode, 5, f"{most}: {done.stdout}{done.stderr}")
            self.assertRegex(done.stdout + done.stderr, "next: .*ulimit -f")
        self.assertEqual(tree_hash(project.path("lake")), before)

    def test_processes_that_may_not_start(self):
        project = self.project()
        nobody = 1_000_000 + os.getpid()  # a user without any process: the limit counts all of them, and their threads
        if os.getuid() != 0 or subprocess.run([CAUDAL, "--version"], capture_output=True, user=nobody, check=False).returncode != 0:
            self.skipTest("needs root, and a program that everybody may run")
        os.chmod(os.path.dirname(project.folder), 0o755)
        for at, _, files in os.walk(project.folder):
            for path in [at] + [os.path.join(at, name) for name in files]:
                os.chown(path, nobody, nobody)
        for more in (2, 3, 5):
            done = self.limited(project, resource.RLIMIT_NPROC, more, nobody)
            self.assertEqual(done.returncode, 5, f"{more}: {done.stdout}{done.stderr}")
            self.assertRegex(done.stdout + done.stderr, "next: .*ulimit -u")

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


for one in CASES + source_mistakes.CASES:
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
        try:
            master, slave = pty.openpty()
        except OSError as none:
            self.skipTest(f"no terminal can be opened here: {none}")
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

    def test_columns_of_one_name_are_told_apart(self):
        rows = self.json("sql", "SELECT * FROM (SELECT 1 AS x) a, (SELECT 2 AS x) b")["rows"]
        self.assertEqual(rows, [{"x": 1, "x_1": 2}])

    def test_output_that_nobody_took_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([CAUDAL, "show"], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("standard output took only a part: No space left on device", done.stderr)

    def test_history_of_verdicts(self):
        checks = self.json("history", "gold.daily_sales", "--checks")["checks"]
        self.assertIn(("sold_on.not_null", "pass"), {(c["check"].split("(")[0].split(":")[0], c["verdict"]) for c in checks})
        run = self.json("history")["runs"][-1]["run"]
        self.assertIn(run, {c["run"] for c in checks})
        self.assertIn(run, self.text("history", "gold.daily_sales", "--checks"))

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
