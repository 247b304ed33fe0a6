"""Time limits, slots, priorities and runs that wait for one another, with real tasks."""
import http.server
import json
import os
import shutil
import subprocess
import threading
import unittest

import shop_project as sp

ENDLESS = "SELECT sum(a.range * b.range %% 7) AS %s FROM range(10000000) AS a, range(10000000) AS b"


class Limits(unittest.TestCase):
    def setUp(self):
        self.shop = sp.Shop()
        self.addCleanup(self.shop.remove)
        for folder in ("models", "sources"):
            shutil.rmtree(self.shop.path(folder))
            os.mkdir(self.shop.path(folder))

    def events(self):
        folder = self.shop.path(".caudal", "runs")
        lines = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                lines += [json.loads(line) for line in f]
        return [(line["event"], line.get("task")) for line in lines if line.get("task")]

    def test_a_task_that_exceeds_its_timeout_fails_and_what_is_below_waits(self):
        self.shop.write("models/a/slow.sql", "/* caudal:\ntimeout: 1s\n*/\n" + ENDLESS % "x")
        self.shop.write("models/a/below.sql", "SELECT x FROM a.slow")
        self.shop.write("models/a/other.sql", "SELECT 1 AS x")
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 5, failed.stdout + failed.stderr)
        self.assertIn("the task took longer than its timeout of 1s", failed.stdout)
        self.assertIn("raise its `timeout`", failed.stdout)
        self.assertEqual(self.shop.rows("SELECT x FROM a.other")[1:], [["1"]])
        self.assertIn(("task.blocked", "a.below"), self.events())
        self.shop.write("models/a/slow.sql", "/* caudal:\ntimeout: 60s\n*/\nSELECT 2 AS x")
        self.shop.ok("retry")
        self.assertEqual(self.shop.rows("SELECT x FROM a.below")[1:], [["2"]])

    def test_the_projects_timeout_is_of_tasks_that_name_none_and_is_retried(self):
        self.shop.write("caudal.yaml", "name: small\nlimits: {timeout: 500ms}\n")
        self.shop.write("pipelines/daily.yaml", "retries: [10ms]\n")
        self.shop.write("models/a/slow.sql", ENDLESS % "x")
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 5, failed.stdout + failed.stderr)
        self.assertEqual([e for e in self.events() if e[0] in ("task.retrying", "task.failed")],
                         [("task.retrying", "a.slow"), ("task.failed", "a.slow")])

    def test_a_run_that_exceeds_its_timeout_ends_as_a_whole(self):
        self.shop.write("pipelines/daily.yaml", "timeout: 1s\nslots: 1\nretries: [10ms]\n")
        self.shop.write("models/a/a_slow.sql", "/* caudal:\npriority: 1\n*/\n" + ENDLESS % "x")
        self.shop.write("models/a/never.sql", "SELECT 1 AS x")
        failed = self.shop.caudal("run", "daily")
        self.assertEqual(failed.returncode, 5, failed.stdout + failed.stderr)
        self.assertIn("the run took longer than its timeout of 1s", failed.stdout)
        self.assertEqual(self.events(), [("task.started", "a.a_slow"), ("task.failed", "a.a_slow"), ("task.cancelled", "a.never")])
        self.shop.write("models/a/a_slow.sql", "SELECT 3 AS x")
        self.shop.write("pipelines/daily.yaml", "timeout: 10m\n")
        self.shop.ok("retry")
        self.assertEqual(self.shop.rows("SELECT x FROM a.a_slow UNION ALL SELECT x FROM a.never ORDER BY x")[1:], [["1"], ["3"]])

    def test_a_pipeline_has_its_own_slots_and_the_highest_priority_is_first(self):
        self.shop.write("caudal.yaml", "name: small\nlimits: {slots: 4}\n")
        self.shop.write("pipelines/daily.yaml", "slots: 1\n")
        for i, name in enumerate("abcd"):
            self.shop.write(f"models/a/{name}.sql", f"/* caudal:\npriority: {i}\n*/\nSELECT {i} AS x")
        self.shop.ok("run", "daily")
        self.assertEqual(self.events(), [(event, f"a.{name}") for name in "dcba" for event in ("task.started", "task.succeeded")])

    def test_a_limit_that_cannot_be_is_refused(self):
        self.shop.write("models/a/a.sql", "/* caudal:\ntimeout: 0s\npriority: 1000\n*/\nSELECT 1 AS x")
        failed = self.shop.caudal("validate")
        self.assertEqual(failed.returncode, 2)
        self.assertIn("models/a/a.sql:2:10: error: 'timeout' leaves no time", failed.stdout + failed.stderr)
        self.assertIn("models/a/a.sql:3:11: error: 'priority' should be a whole number from -100 to 100", failed.stdout + failed.stderr)


class Waiting(unittest.TestCase):
    """A source that answers when it is told to."""

    def setUp(self):
        self.asked, self.answer = threading.Event(), threading.Event()
        test = self

        class Held(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                test.asked.set()
                test.answer.wait(60)
                body = b'[{"id": 1}]'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Held)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.shop = sp.Shop()
        self.addCleanup(self.shop.remove)
        for folder in ("models", "sources"):
            shutil.rmtree(self.shop.path(folder))
            os.mkdir(self.shop.path(folder))
        self.shop.write("sources/api.yaml", f"type: http\nclient: {{base_url: 'http://127.0.0.1:{server.server_port}/', allow_private: true}}\n"
                        "streams: {things: {endpoint: {path: things}, primary_key: id, write_disposition: merge}}\n")

    def start(self, *words):
        run = subprocess.Popen([sp.CAUDAL, *words], cwd=self.shop.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, env={**os.environ, "NO_COLOR": "1"})
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.kill)
        return run

    def test_a_second_run_waits_where_it_is_told_to(self):
        first = self.start("run", "daily")
        self.assertTrue(self.asked.wait(60))
        refused = self.shop.caudal("run", "daily")
        self.assertEqual(refused.returncode, 6, refused.stdout + refused.stderr)
        self.assertIn("caudal run --wait", refused.stderr)
        second = self.start("run", "daily", "--wait")
        line = second.stdout.readline()
        self.assertRegex(line, r"^pipeline 'daily' is running already: run \S+, process \d+; waiting for its end")
        self.answer.set()
        self.assertEqual(first.wait(60), 0)
        rest = second.communicate(timeout=60)[0]
        self.assertEqual(second.returncode, 0, rest)
        self.assertEqual(self.shop.rows("SELECT id FROM api.things")[1:], [["1"]])

    def test_one_that_waits_can_be_stopped(self):
        first = self.start("run", "daily")
        self.assertTrue(self.asked.wait(60))
        second = self.start("run", "daily", "--wait")
        second.stdout.readline()
        second.terminate()
        out = second.communicate(timeout=60)[0]
        self.assertEqual(second.returncode, 130, out)
        self.assertIn("stopped while it waited", out)
        self.answer.set()
        self.assertEqual(first.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
