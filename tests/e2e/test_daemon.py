"""`caudal serve`: real daemons, killed, stopped, paused, given broken projects."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import daemon_process as dp  # noqa: E402
import shop_project as sp  # noqa: E402

# `daily` runs when `go` was run by hand: a test says when.
GO = {"go": "run: drops.sales\n", "daily": "after: go\n"}


class ServeTest(unittest.TestCase):
    def project(self, pipelines, **more):
        folder = tempfile.mkdtemp(prefix="caudal-daemon-")
        self.addCleanup(shutil.rmtree, folder, True)
        return dp.Project(folder, pipelines, **more)

    def serve(self, project, *words, **more):
        daemon = dp.Daemon(project, *words, **more)
        self.addCleanup(daemon.stop)
        daemon.wait("daemon.started")
        return daemon

    def go(self, project):
        done = project.caudal("run", "go")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_it_runs_on_time_and_ends_when_told(self):
        project = self.project({"daily": "schedule: every 2s\n", "nightly": "schedule: \"0 3 * * *\"\ntime_zone: Europe/Madrid\ndeadline: \"09:00\"\n"})
        daemon = self.serve(project)
        for n in (1, 2):
            daemon.wait("run.succeeded", n, pipeline="daily")
        status = project.json("status")
        self.assertEqual(status["served_by"], str(daemon.process.pid))
        pipelines = {p["pipeline"]: p for p in status["pipelines"]}
        self.assertIn(pipelines["daily"]["last"]["status"], ("succeeded", "running"))  # the next one may have begun
        self.assertEqual(pipelines["daily"]["last"]["cause"], "schedule")
        self.assertIsNone(pipelines["nightly"]["last"], "it was not there at three")
        self.assertIsNotNone(pipelines["nightly"]["next"])
        self.assertEqual(project.rows("gold.total"), [{"n": 2, "amount": "30"}])
        times = [line["scheduled"] for line in daemon.events("run.started")]
        self.assertEqual(len(times), len(set(times)), "no time twice")
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(daemon.events("daemon.stopped"))
        self.assertIsNone(project.json("status")["served_by"])
        self.assertIn("nobody serves", project.caudal("status").stdout)

    def test_a_second_daemon_is_refused_with_the_first_ones_pid(self):
        project = self.project({"daily": "schedule: \"0 3 * * *\"\n"})
        daemon = self.serve(project)
        second = project.caudal("serve")
        self.assertEqual(second.returncode, 6)
        self.assertIn(f"process {daemon.process.pid}", second.stderr)
        daemon.kill()
        self.serve(project)

    def test_killed_in_the_middle_it_goes_on_once_and_the_tables_are_the_same(self):
        project = self.project(GO, slow=18000)
        daemon = self.serve(project)
        self.go(project)
        run = daemon.wait("run.started", pipeline="daily")["run"]
        self.wait_for_task(project, run, "gold.slow")
        daemon.kill()
        self.assertEqual(project.runs("daily")[-1]["status"], "interrupted")
        daemon = self.serve(project)
        self.assertEqual(daemon.wait("run.resumed", pipeline="daily")["run"], run)
        daemon.wait("run.succeeded", pipeline="daily", run=run)
        # Nothing more comes of it: neither a second run nor a second resumption.
        time.sleep(1.5)
        self.assertEqual(daemon.stop(), 0)
        daemon = self.serve(project)
        time.sleep(1.5)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([(r["run"], r["status"]) for r in project.runs("daily")], [(run, "succeeded")])
        self.assertEqual(len(self.log_events(project, run, "run.started")), 2, "begun, and gone on with once")
        undisturbed = self.project(GO, slow=18000)
        self.assertEqual(undisturbed.caudal("run").returncode, 0)
        for table in ("drops.sales", "gold.total", "gold.slow"):
            columns = "* EXCLUDE (_source_file)" if table == "drops.sales" else "*"
            sql = f"SELECT {columns} FROM {table} ORDER BY ALL"
            self.assertEqual(project.json("sql", sql), undisturbed.json("sql", sql), table)

    def test_killed_again_and_again_no_time_is_lost_or_doubled(self):
        project = self.project({"daily": "schedule: every 1s\ncatch_up: all\n"})
        dice = random.Random(7)
        daemon = self.serve(project)
        daemon.wait("run.succeeded", 2)
        for _ in range(8):
            time.sleep(dice.uniform(0.1, 1.6))
            daemon.kill()
            daemon = self.serve(project)
        count = len(daemon.events("run.succeeded"))
        daemon.wait("run.succeeded", count + 3)
        self.assertEqual(daemon.stop(), 0)
        with sqlite3.connect(project.path(".caudal", "state.db")) as db:
            times = [row[0] // 1_000_000 for row in db.execute("SELECT scheduled FROM run WHERE pipeline = 'daily' ORDER BY scheduled")]
            statuses = {row[0] for row in db.execute("SELECT status FROM run")}
        db.close()
        self.assertEqual(times, list(range(times[0], times[0] + len(times))), "every second once")
        self.assertEqual(statuses, {"succeeded"})
        self.assertEqual(project.rows("gold.total"), [{"n": 2, "amount": "30"}])

    def test_stopped_in_the_middle_it_cancels_after_the_grace_and_goes_on_at_the_next_start(self):
        project = self.project(GO, slow=18000)
        daemon = self.serve(project, "--grace", "0s")
        self.go(project)
        run = daemon.wait("run.started", pipeline="daily")["run"]
        self.wait_for_task(project, run, "gold.slow")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(project.runs("daily")[-1]["status"], "interrupted")
        daemon = self.serve(project)
        self.assertEqual(daemon.wait("run.succeeded", pipeline="daily")["run"], run)
        self.assertEqual(daemon.stop(), 0)

    def test_stopped_in_the_middle_what_runs_may_end_within_the_grace(self):
        project = self.project(GO, slow=18000)
        daemon = self.serve(project, "--grace", "120s")
        self.go(project)
        run = daemon.wait("run.started", pipeline="daily")["run"]
        self.wait_for_task(project, run, "gold.slow")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.events("run.succeeded")[-1]["run"], run)

    def test_paused_it_begins_nothing_and_resumed_it_does_not_catch_up(self):
        project = self.project({"daily": "schedule: every 1s\ncatch_up: all\n"})
        daemon = self.serve(project)
        daemon.wait("run.succeeded")
        self.assertIn("is paused", project.caudal("pause", "daily").stdout)
        time.sleep(2.5)
        paused = len(daemon.events("run.started"))
        time.sleep(3)
        self.assertEqual(len(daemon.events("run.started")), paused)
        self.assertIsNotNone(project.json("status")["pipelines"][0]["paused_since"])
        before = time.time()
        self.assertEqual(project.caudal("resume", "daily").returncode, 0)
        daemon.wait("run.started", paused + 1)
        first = daemon.events("run.started")[paused]["scheduled"]
        self.assertGreaterEqual(first, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before)))
        self.assertEqual(project.caudal("pause", "dayly").returncode, 3)

    def test_a_run_by_hand_is_respected_and_the_time_is_not_lost(self):
        project = self.project({"daily": "schedule: every 4s\n"}, slow=18000)
        hand = subprocess.Popen([sp.CAUDAL, "run", "daily", "--project", project.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(hand.wait)
        while not [r for r in project.runs() if r["status"] == "running"]:
            time.sleep(0.05)
        daemon = self.serve(project)
        waits = daemon.wait("run.waits", pipeline="daily")
        self.assertIn(f"process {hand.pid}", waits["error"])
        daemon.wait("run.succeeded", pipeline="daily")
        self.assertEqual(hand.wait(), 0)
        self.assertEqual([r["status"] for r in project.runs("daily")][:2], ["succeeded", "succeeded"])

    def test_pipelines_that_build_one_table_take_turns(self):
        project = self.project({f"p{i}": "schedule: every 2s\n" for i in range(3)})
        daemon = self.serve(project)
        for i in range(3):
            daemon.wait("run.succeeded", 2, pipeline=f"p{i}")
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(daemon.events("run.failed"), daemon.lines)
        self.assertTrue(any("builds some of its tables" in line["error"] for line in daemon.events("run.waits")))

    def test_a_project_that_changes_is_taken_and_a_broken_one_is_not(self):
        project = self.project({"daily": "schedule: every 1s\n"})
        daemon = self.serve(project)
        daemon.wait("run.succeeded")
        project.write("models/gold/total.sql", "SELECT count(*) AS n FROM drops.nothing\n")
        broken = daemon.wait("project.broken")
        self.assertIn("models/gold/total.sql:1", broken["error"])
        count = len(daemon.events("run.succeeded"))
        daemon.wait("run.succeeded", count + 2)
        project.write("models/gold/total.sql", "SELECT count(*) AS n, sum(amount) + 1 AS amount FROM drops.sales\n")
        project.write("pipelines/other.yaml", "schedule: every 1s\nrun: drops.sales\n")
        daemon.wait("project.loaded")
        daemon.wait("run.succeeded", pipeline="other")
        count = len(daemon.events("run.succeeded"))
        daemon.wait("run.succeeded", count + 2)
        self.assertIn("31", str(project.rows("gold.total")))

    def test_a_state_store_that_does_not_answer_stops_what_it_must_and_holds_no_pipeline_for_ever(self):
        project = self.project({"daily": "schedule: every 2s\n"})
        daemon = self.serve(project)
        daemon.wait("run.succeeded")
        with sqlite3.connect(project.path(".caudal", "state.db"), isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(14)  # longer than the store waits for a lock
            other.execute("ROLLBACK")
        other.close()
        self.assertTrue(daemon.events("state.trouble") or daemon.events("run.refused"), daemon.lines)
        count = len(daemon.events("run.succeeded"))
        daemon.wait("run.succeeded", count + 2)
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("running", [r["status"] for r in project.runs()])

    def test_a_thousand_pipelines_stay_small(self):
        pipelines = {f"p{i}": f"schedule: \"H H({i % 23}-23) * * *\"\ntime_zone: Europe/Madrid\ndeadline: \"23:59\"\nrun: drops.sales\n" for i in range(1000)}
        project = self.project(pipelines)
        daemon = self.serve(project)
        time.sleep(5)
        print(f"daemon with 1,000 pipelines: {daemon.memory_mb():.0f} MB")
        self.assertLess(daemon.memory_mb(), dp.MOST_MB)
        self.assertEqual(daemon.stop(), 0)

    def wait_for_task(self, project, run, table):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if any(e.get("task") == table for e in self.log_events(project, run, "task.started")):
                return
            time.sleep(0.05)
        self.fail(f"{table} never began")

    def log_events(self, project, run, name):
        with open(project.path(".caudal", "runs", run + ".ndjson"), encoding="utf-8") as f:
            return [e for e in map(json.loads, f) if e["event"] == name]


if __name__ == "__main__":
    unittest.main()
