"""kill -9 of any process at any point of the example shop's story, followed by `caudal retry`, ends in the same tables as the
story that was let alone. The points are chosen by system call and by the object that the call is about; each proves from
the call that strace saw last, and from what lies on the disk, that the process died where it was meant to."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import example_shop as es
import shop_project as sp

TEN_DAYS, NEXT_DAY, CUT, SPOILED, MENDED = es.ACTS


class Point:
    """Kills who first makes one of `calls`, from the thread's `nth` on, about `path` below the project ({run}: the run that is
    resumed; {day}: today). `worker`: it is a worker that dies, else the command itself."""

    def __init__(self, act, calls, path=None, nth=1, worker=False, inside=None):
        self.act, self.calls, self.path, self.nth, self.worker, self.inside = act, calls, path, nth, worker, inside

    def __str__(self):
        return f"{self.act.name}: {self.calls} {self.path or ''} {self.nth}{' of a worker' if self.worker else ''}"


def commit(act, table, version, stage):
    """A point inside the commit of a table's version: between the link of its intent and the unlink of it."""
    folder = "lake/" + table.replace(".", "/")
    calls, path = {
        "intent": ("fsync", f"{folder}/.hoodie/.temp"),  # the intent has its name
        "entry": ("linkat", f"{folder}/_delta_log/{version:020}.json"),  # the data files have theirs, the entry not yet
        "committed": ("fsync", f"{folder}/_delta_log"),  # the entry has its name
    }.get(stage) or ("fsync", f"{folder}/{stage}")  # a partition: some of the files have theirs
    return Point(act, calls, path, inside=(folder, version, stage))


POINTS = [
    # Before, between and after commits: the state store, raw objects, what is left in staging.
    Point(TEN_DAYS, "fdatasync", ".caudal/state.db-wal"),  # the run is not on record yet
    Point(TEN_DAYS, "unlinkat"),  # the first commit stands and is not recorded
    Point(NEXT_DAY, "fdatasync", ".caudal/state.db-wal", 5),
    Point(NEXT_DAY, "unlinkat", nth=8),
    Point(CUT, "fdatasync", ".caudal/state.db-wal", 4),
    Point(SPOILED, "linkat", "lake/raw/stores/lines/date={day}/{run}-lines-2-000000.manifest.json"),
    Point(SPOILED, "fdatasync", ".caudal/state.db-wal", 2),
    Point(MENDED, "linkat", "lake/raw/stores/lines/date={day}/{run}-lines-3-000000.manifest.json"),
    Point(MENDED, "unlinkat", "lake/.staging/{run}-stores.lines-3"),
    Point(MENDED, "fdatasync", ".caudal/state.db-wal", 4),
    # Inside commits.
    commit(TEN_DAYS, "erp.customers", 0, "entry"),
    commit(TEN_DAYS, "rates.daily", 0, "committed"),
    commit(TEN_DAYS, "stores.lines", 0, "intent"),
    commit(TEN_DAYS, "silver.lines", 0, "order_date=2010-12-05"),
    commit(TEN_DAYS, "gold.daily_sales", 0, "committed"),
    commit(NEXT_DAY, "erp.payments", 1, "intent"),
    commit(NEXT_DAY, "rates.daily", 1, "entry"),
    commit(NEXT_DAY, "stores.lines", 1, "entry"),
    commit(NEXT_DAY, "stores.lines", 1, "committed"),
    commit(NEXT_DAY, "silver.lines", 1, "order_date=2010-12-08"),
    commit(NEXT_DAY, "silver.customers", 1, "committed"),
    commit(NEXT_DAY, "silver.orders", 1, "intent"),
    commit(NEXT_DAY, "gold.daily_sales", 1, "order_date=2010-12-10"),
    commit(NEXT_DAY, "gold.product_ranking", 1, "entry"),
    commit(CUT, "erp.customers", 2, "committed"),
    commit(CUT, "silver.customers", 2, "entry"),
    commit(MENDED, "stores.lines", 2, "committed"),
    commit(MENDED, "silver.orders", 2, "order_date=2010-12-14"),
    commit(MENDED, "gold.customer_value", 2, "entry"),
    commit(MENDED, "gold.daily_sales", 2, "committed"),
    # Workers: at their start, at each kind of source, when the raw object is in place, while SQL reads its input.
    Point(TEN_DAYS, "landlock_restrict_self", worker=True),
    Point(TEN_DAYS, "connect", worker=True),
    Point(TEN_DAYS, "openat", "drops/2010-12-06.csv.gz", worker=True),
    Point(NEXT_DAY, "pread64", "erp.db", 3, worker=True),
    Point(NEXT_DAY, "fsync", "lake/raw/stores/lines/date={day}", worker=True),
    Point(NEXT_DAY, "openat", "{file}", worker=True),
    Point(CUT, "openat", "drops/2010-12-14.csv.gz", worker=True),
]


def processes_in(folder):
    """Processes that still work in `folder`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read()
            if b"caudal" in command and os.readlink(f"/proc/{pid}/cwd").startswith(folder) and int(pid) != os.getpid():
                found.append(int(pid))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            pass
    return found


def intents(shop, folder):
    return glob.glob(shop.path(folder, ".hoodie/.temp/*.intent.json"))


def entries(shop, folder):
    return sorted(glob.glob(shop.path(folder, "_delta_log", "*.json")))


def commit_info(entry):
    with open(entry, encoding="utf-8") as f:
        return json.loads(f.readline())["commitInfo"]


class Scene:
    """The shop before and after an act that was let alone; the run that failed before it; the prints of the tables after it."""

    def __init__(self, before, run):
        self.before, self.run, self.after, self.prints = before, run, None, None


def whole_lines(trace):
    """strace's lines; a call that another thread's line stands in the middle of is one line again."""
    begun = {}
    for line in trace:
        thread, text = line.split(None, 1)
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
        if text.endswith(" <unfinished ...>"):
            begun[thread] = line[:-len(" <unfinished ...>")]
        elif resumed:
            yield begun.pop(thread, thread) + resumed[1]
        else:
            yield line


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class KillTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = es.Stage()
        cls.addClassCleanup(cls.stage.close)
        shop, run, cls.scenes = es.ExampleShop(cls.stage), None, {}
        cls.addClassCleanup(shop.remove)
        for act in es.ACTS:
            shop.begin(act)
            scene = cls.scenes[act] = Scene(shop.copy(), run)
            cls.addClassCleanup(scene.before.remove)
            done = shop.caudal(*[word.format(run=run) for word in act.words])
            assert done.returncode == act.code, done.stdout + done.stderr
            if act.code:
                run = done.stdout.split()[-1]
            scene.after, scene.prints = shop.copy(), shop.prints()
            cls.addClassCleanup(scene.after.remove)

    def strace(self, shop, point, words=None):
        """Types the act's words and kills at the point. Gives the run's result and the last calls of those who died."""
        names = {"run": self.scenes[point.act].run, "day": shop.json("history")["runs"][0]["started"][:10] if "{day}" in str(point.path) else "",
                 "file": (glob.glob(shop.path("lake/silver/lines/order_date=2010-12-07/*.parquet")) or [""])[0]}
        path = shop.path(point.path.format(**names)) if point.path else None
        if words is None:
            words = [word.format(**names) for word in point.act.words] + (["--no-retry"] if point.worker else [])
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as log:
            done = shop.caudal(*words,
                               prefix=["strace", "-f", *([] if point.worker else ["-b", "execve"]), "-qq", "-y", "-e", "signal=none", "-o", log.name,
                                       *(["-P", path] if path else []), "-e", f"trace={point.calls}",
                                       "-e", f"inject={point.calls}:signal=KILL:when={point.nth}+"])
            lines = whole_lines(log.read().splitlines())
        return done, [line for line in lines if re.search(r"^\d+ +\w+\(.* = \?$", line) and (not path or path in line)]

    def assert_inside(self, shop, point):
        """The commit was under way: its intent lies there; the entry, where it has its name, is of that very commit."""
        folder, version, stage = point.inside
        self.assertEqual(len(intents(shop, folder)), 1, "the intent of the commit was to lie there")
        with open(intents(shop, folder)[0], encoding="utf-8") as f:
            intent = json.load(f)
        self.assertEqual(intent["version"], version)
        found = entries(shop, folder)
        self.assertEqual(len(found), version + (stage == "committed"))
        if stage == "committed":
            self.assertEqual(commit_info(found[-1])["txnId"], intent["txid"])
        there = [os.path.exists(shop.path("lake", name)) for name in intent["files"]]
        if stage in ("entry", "committed"):
            self.assertTrue(all(there), "the data files were to have their names")
        elif stage != "intent":
            self.assertFalse(all(there), "some data files were not to have their names yet")

    def assert_as_undisturbed(self, shop, act):
        scene, got = self.scenes[act], shop.prints()
        if got != scene.prints:
            self.fail(scene.after.difference(shop, scene.prints, got))
        for folder in {"lake/" + t.replace(".", "/") for t in es.TABLES}:
            tasks = [commit_info(e).get("caudal.task") for e in entries(shop, folder)]
            self.assertEqual(len(tasks), len(set(tasks)), f"{folder}: a task committed twice")

    def resume(self, shop, act):
        """What a person types: the line that resumes; the act's own words where nothing was on record."""
        done = shop.caudal("retry")
        if done.returncode == 3:
            done = shop.caudal(*act.words)
        self.assertEqual(done.returncode, act.code, done.stdout + done.stderr)
        self.assert_as_undisturbed(shop, act)

    def wait_for_the_workers_end(self, shop):
        deadline = time.monotonic() + 5
        while processes_in(shop.folder) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(processes_in(shop.folder), [], "a worker outlived its parent")

    def kill_and_resume(self, point):
        scene = self.scenes[point.act]
        shop = scene.before.copy()
        self.addCleanup(shop.remove)
        self.stage.until(point.act.until)
        done, last_calls = self.strace(shop, point)
        self.assertTrue(last_calls, f"nobody was killed\n{done.stdout}{done.stderr}")
        self.assertEqual(done.returncode == -signal.SIGKILL, not point.worker, f"{last_calls}\n{done.stdout}{done.stderr}")
        self.wait_for_the_workers_end(shop)
        if point.worker:
            self.assertIn("the worker process died: killed by SIGKILL", done.stdout + done.stderr)
            if done.stdout:  # else it was one that parsed the project's SQL, before the run
                self.assertRegex(done.stdout.splitlines()[-1], r"^caudal retry \S+$")
        if point.inside:
            self.assert_inside(shop, point)
        self.resume(shop, point.act)
        if point.act in (CUT, SPOILED):  # and on to the end of the story
            MENDED.prepare(shop)
            self.resume(shop, MENDED)
        doctor = shop.caudal("doctor")
        # Each point works in a copy of the shop, whose Iceberg metadata names the place of the first until a task touches it.
        bad = [line for line in doctor.stdout.splitlines() if line.startswith("BAD") and "sent to another place" not in line]
        self.assertEqual(bad, [], doctor.stdout + doctor.stderr)
        killed = point.inside and point.inside[0].removeprefix("lake/").replace("/", ".")
        if killed:
            self.assertNotIn(f"BAD   {killed} ", doctor.stdout, "the killed table's formats are complete")
        shop.remove()

    def test_kill_at_a_system_call(self):
        self.assertGreaterEqual(len(POINTS), 30)
        self.assertGreaterEqual(len([p for p in POINTS if p.inside]), 10)
        for point in POINTS:
            with self.subTest(point=str(point)):
                self.kill_and_resume(point)

    def test_kill_of_a_verb_that_only_looks(self):
        shop = self.scenes[CUT].before.copy()
        self.addCleanup(shop.remove)
        newest = "lake/gold/daily_sales/_delta_log/00000000000000000001.json"
        for words, path in ((["validate"], "models/gold/daily_sales.sql"), (["test"], "tests/daily_sales.yaml"), (["plan", "daily"], newest),
                            (["show", "--sizes"], newest), (["sql", "FROM gold.daily_sales"], newest)):
            with self.subTest(words=words):
                done, last_calls = self.strace(shop, Point(CUT, "openat", path), words)
                self.assertTrue(last_calls, f"nobody was killed\n{done.stdout}{done.stderr}")
                self.wait_for_the_workers_end(shop)
        self.assertEqual(shop.prints(), self.scenes[NEXT_DAY].prints)
        self.resume(shop, CUT)

    def test_two_runs_at_once_do_not_double_the_day(self):
        shop = self.scenes[NEXT_DAY].before.copy()
        self.addCleanup(shop.remove)
        self.stage.until(NEXT_DAY.until)
        runs = [subprocess.Popen([sp.CAUDAL, "run", "daily"], cwd=shop.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env={**os.environ, "NO_COLOR": "1", "RATES_URL": self.stage.url}) for _ in range(2)]
        outs = [run.communicate(timeout=120)[0] for run in runs]
        codes = sorted(run.returncode for run in runs)
        self.assertIn(codes, ([0, 0], [0, 6]), outs)
        if codes == [0, 6]:
            refused = outs[[run.returncode for run in runs].index(6)]
            self.assertRegex(refused, r"is running already: run \S+, process \d+")
        self.assert_as_undisturbed(shop, NEXT_DAY)


if __name__ == "__main__":
    unittest.main()
