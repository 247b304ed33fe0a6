"""The HTTP API of a real daemon over a real project: answers, roles, sessions, attacks, slow and many clients."""
import json
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api_client as ac  # noqa: E402
import daemon_process as dp  # noqa: E402

PASSWORD = "correct horse battery"
SECRET = "webhook-secret-8472"
ALERTS = ("alerts:\n  channels:\n    ops: {type: webhook, url: \"http://127.0.0.1:9/hook\", secret: \"${OPS_SECRET}\"}\n"
          "  rules:\n    - {on: [failed], to: ops}\n")


class ApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="caudal-api-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.project = dp.Project(cls.folder, {"go": "run: drops.sales\n", "daily": "run: gold.total drops.sales\nowner: ann\ntags: [shop]\ndescription: the day\n",
                                              "nightly": "schedule: \"0 3 * * *\"\ntime_zone: Europe/Madrid\ndeadline: \"09:00\"\nrun: gold.total\n",
                                              "broken": "run: gold.wrong\n", "slow": "run: gold.slow\n"}, slow=18000, config=ALERTS)
        cls.project.write("models/gold/wrong.sql", "SELECT error('no such luck') AS a FROM drops.sales\n")
        cls.project.write("models/gold/by_day.sql", "/* caudal:\nmaterialize: {incremental: partitions, partition_by: d}\n*/\n"
                                                    "SELECT id AS d, sum(amount) AS amount FROM drops.sales GROUP BY id\n")
        # Published before the daemon loads the project, so that it knows how columns flow.
        cls.project.caudal("run", "-s", "+gold.by_day", "+gold.total")
        env = {"OPS_SECRET": SECRET}
        cls.tokens = {}
        for role in ac.ROLES[1:]:
            cls.tokens[role] = json.loads(cls.project.caudal("token", "create", role, "--role", role, "--output", "json").stdout)["token"]
        cls.daemon = dp.Daemon(cls.project, env=env)
        cls.addClassCleanup(cls.daemon.stop)
        cls.address = cls.daemon.wait("http.listening")["address"]
        cls.daemon.wait("daemon.started")
        cls.clients = {role: ac.Client(cls.address, token) for role, token in cls.tokens.items()}
        cls.clients["none"] = ac.Client(cls.address)
        cls.admin = cls.clients["admin"]
        cls.finish(cls.admin.post("/api/v1/runs", {"pipeline": "daily"}, 202)["run"], "succeeded")
        cls.finish(cls.admin.post("/api/v1/runs", {"pipeline": "all", "select": ["gold.by_day"]}, 202)["run"], "succeeded")
        cls.failed = cls.finish(cls.admin.post("/api/v1/runs", {"pipeline": "broken"}, 202)["run"], "failed")

    @classmethod
    def finish(cls, run, status, limit_s=90):
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            detail = cls.admin.get("/api/v1/runs/" + run)
            if detail["status"] == status:
                return run
            assert detail["status"] in ("queued", "running"), detail
            time.sleep(0.05)
        raise AssertionError(f"run {run} is not {status}: {detail}")

    def filled(self, path):
        run = self.admin.get("/api/v1/runs?pipeline=daily")["runs"][0]["run"]
        words = {"pipeline": "daily", "run": run, "table": "gold.by_day", "source": "drops", "channel": "ops", "user": "nobody", "id": "none"}
        return re.sub(r"\{(\w+)\}", lambda m: words[m[1]], path)

    # Answers

    def test_every_read_is_as_the_document_says(self):
        for method, path, operation in ac.OPERATIONS:
            if method == "GET" and operation["operationId"] != "events":
                answer = self.admin.call("GET", self.filled(path))
                self.assertEqual(answer.status, 200, f"{path}: {answer.body}")
                head = self.admin.call("HEAD", self.filled(path))
                self.assertEqual((head.status, head.body), (200, ""), path)
                self.assertEqual(self.admin.call("TRACE", self.filled(path)).status, 405, path)
        missing = {o["operationId"] for m, _, o in ac.OPERATIONS if m == "GET"} - ac.Client.called - {"events"}
        self.assertFalse(missing)

    def test_the_numbers_are_those_of_the_command_line(self):
        for words, path in [(["status"], "/api/v1/pipelines"), (["show"], "/api/v1/tables")]:
            mine = self.project.json(*words)
            key = "pipelines" if words == ["status"] else "tables"
            theirs = self.admin.get(path)[key]
            for ours, other in zip(mine[key], theirs, strict=True):
                self.assertEqual(ours, {k: other[k] for k in ours}, "the API says all that the command does, the same way")
        version = self.project.json("history", "gold.by_day")["versions"]
        self.assertEqual(self.admin.get("/api/v1/tables/gold.by_day/versions")["versions"], version)
        self.assertEqual(self.admin.post("/api/v1/plan", {"pipeline": "daily"}), self.project.json("plan", "daily"))
        detail = self.admin.get("/api/v1/tables/gold.by_day")
        self.assertEqual((detail["rows"], detail["partitions"], detail["partition_by"]), (2, 2, ["d"]))
        partitions = self.admin.get("/api/v1/tables/gold.by_day/partitions?limit=1")
        self.assertEqual((len(partitions["partitions"]), partitions["total"]), (1, 2))
        lineage = self.admin.get("/api/v1/tables/gold.by_day/lineage")
        self.assertEqual(lineage["columns"]["gold.by_day"]["amount"], [{"table": "drops.sales", "column": "amount"}])
        self.assertEqual(lineage["graph"]["edges"], [["drops.sales", "gold.by_day"]])

    def test_pages_of_runs_name_each_run_once(self):
        seen, cursor = [], ""
        while cursor is not None:
            page = self.admin.get("/api/v1/runs?limit=1" + (f"&cursor={cursor}" if cursor else ""))
            seen += [run["run"] for run in page["runs"]]
            cursor = page["next"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertGreaterEqual(len(seen), 3)
        failed = self.admin.get("/api/v1/runs?status=failed")["runs"]
        self.assertIn(self.failed, [run["run"] for run in failed])

    def test_a_failed_run_tells_why_and_what_next(self):
        detail = self.admin.get("/api/v1/runs/" + self.failed)
        task = next(t for t in detail["tasks"] if t["table"] == "gold.wrong")
        self.assertIn("no such luck", task["error"]["message"])
        self.assertTrue(detail["can_retry"])
        self.assertEqual(detail["request"]["by"], "token admin")
        self.assertIn("broken", [p["pipeline"] for p in self.admin.get("/api/v1/overview")["failed"]])
        log = self.admin.get(f"/api/v1/runs/{self.failed}/log?limit=1")
        rest = self.admin.get(f"/api/v1/runs/{self.failed}/log?after={log['next']}")
        self.assertEqual((log["lines"][0]["event"], log["more"], rest["lines"][-1]["event"], rest["more"]), ("run.started", True, "run.failed", False))
        self.assertEqual(self.admin.get(f"/api/v1/runs/{self.failed}/log?tail=1")["lines"], rest["lines"][-1:])

    # Changes

    def test_a_run_is_queued_cancelled_and_gone_on_with(self):
        first = self.admin.post("/api/v1/runs", {"pipeline": "slow"}, 202)["run"]
        self.daemon.wait("run.started", run=first)
        second = self.admin.post("/api/v1/runs", {"pipeline": "slow"}, 202)["run"]
        self.admin.post("/api/v1/runs", {"pipeline": "slow"}, 409)
        self.assertEqual(self.admin.get("/api/v1/runs/" + second)["status"], "queued")
        self.assertIn(second, [q["run"] for q in self.admin.get("/api/v1/overview")["queued"]])
        self.assertEqual(self.admin.post(f"/api/v1/runs/{second}/cancel", None, 202)["status"], "cancelled")
        self.admin.get("/api/v1/runs/" + second, 404)
        self.assertIn(first, [r["run"] for r in self.admin.get("/api/v1/overview")["running"]])
        self.admin.post(f"/api/v1/runs/{first}/retry", {}, 409)
        self.admin.post(f"/api/v1/runs/{first}/cancel", None, 202)
        self.finish(first, "cancelled")
        self.admin.post(f"/api/v1/runs/{first}/cancel", None, 409)
        self.admin.post(f"/api/v1/runs/{first}/retry", {}, 202)
        self.daemon.wait("run.resumed", run=first)
        self.admin.post(f"/api/v1/runs/{first}/cancel", None, 202)
        self.finish(first, "cancelled")

    def test_pause_and_resume_are_the_commands(self):
        self.assertEqual(self.admin.post("/api/v1/pipelines/nightly/pause"), {"pipeline": "nightly", "paused": True, "changed": True, "next": None})
        self.assertIn("nightly", [p["pipeline"] for p in self.admin.get("/api/v1/overview")["paused"]])
        self.assertFalse(self.project.json("pause", "nightly")["changed"])
        self.assertTrue(self.admin.post("/api/v1/pipelines/nightly/resume")["changed"])

    def test_what_is_wrong_with_a_body_is_named(self):
        for body, where in [({"pipline": "daily"}, "pipline"), ({"pipeline": 3}, "pipeline"), ({"select": "a"}, "select"), ({"select": [1]}, "select"),
                            ({"full_refresh": "yes"}, "full_refresh")]:
            self.assertEqual(self.admin.post("/api/v1/runs", body, 400)["where"], where)
        self.assertIn("did you mean 'daily'", self.admin.post("/api/v1/runs", {"pipeline": "dailly"}, 404)["next"])
        self.admin.post("/api/v1/runs", {"pipeline": "daily", "select": ["gold.nothing"]}, 404)
        self.assertEqual(self.admin.call("POST", "/api/v1/runs", raw="{}", headers={"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.admin.get("/api/v1/runs?pipelines=x", 400)["where"], "pipelines")
        self.assertEqual(self.admin.get("/api/v1/runs?limit=0", 400)["where"], "limit")
        self.admin.get("/api/v1/runs?limit=1&limit=2", 400)
        self.assertEqual(self.admin.get("/api/v1/runs?status=odd", 400)["where"], "status")
        self.assertEqual(self.admin.post("/api/v1/alerts/channels/ops/test", None, 503)["kind"], "unavailable")

    # Who may use it

    def test_every_route_wants_its_role(self):
        """Each route with each role, without credentials, and with wrong ones: from the document, which a unit test holds against the table."""
        wrong = {"nobody": ac.Client(self.address, "caudal_" + "A" * 43), "basic": ac.Client(self.address), "cookie": ac.Client(self.address)}
        wrong["cookie"].cookie = "A" * 43
        for method, path, operation in ac.OPERATIONS:
            if operation["operationId"] == "events":
                path += "?after=x"
            # Harmless where it is allowed: nothing of that name is there, or the body is refused.
            target = self.filled(path.replace("{pipeline}", "none").replace("{run}", "none")) if method != "GET" else self.filled(path)
            body = None if method == "GET" or "requestBody" not in operation else {"no such member": 1}
            least = ac.ROLES.index(operation["x-role"])
            for role, client in self.clients.items():
                status = client.call(method, target, body).status
                expected = 401 if role == "none" and least > 0 else 403 if ac.ROLES.index(role) < least else None
                if expected:
                    self.assertEqual(status, expected, f"{method} {target} as {role}")
                else:
                    self.assertNotIn(status, (401, 403), f"{method} {target} as {role}")
            for name, client in wrong.items():
                status = client.call(method, target, body, {"Authorization": "Basic YTpi"} if name == "basic" else None).status
                self.assertEqual(status == 401, least > 0, f"{method} {target} as {name}")

    def test_mangled_paths_open_nothing(self):
        nobody = self.clients["none"]
        for path in ["/api/v1//users", "/api/v1/users/", "/api/v1/users;x", "/api/v1/users.json", "/api/v1/%75sers", "/api/v1/./users", "/api/v1/x/../users",
                     "/API/v1/users", "/api/v1/users%00", "/api/v1/users%2f", "/metrics/", "//metrics", "/api", "/api/", "/api/v2/users"]:
            answer = nobody.call("GET", path)
            self.assertIn(answer.status, (401, 404), f"{path}: {answer.body}")
            self.assertNotIn('"users"', answer.body)
        for header in ("X-HTTP-Method-Override", "X-Original-URL"):
            self.assertEqual(nobody.call("GET", "/health/live", headers={header: "/api/v1/users"}).json(), {"status": "ok"})

    def test_the_first_admin_and_what_a_browser_does(self):
        nobody = ac.Client(self.address)
        self.assertTrue(nobody.get("/api/v1/setup")["needed"])
        key = self.daemon.wait("http.setup")["link"].split("#")[1]
        nobody.post("/api/v1/setup", {"key": "A" * 43, "user": "ann", "password": PASSWORD}, 401)
        nobody.post("/api/v1/setup", {"key": key, "user": "ann", "password": "short"}, 400)
        answer = nobody.call("POST", "/api/v1/setup", {"key": key, "user": "ann", "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer.body)
        for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
            self.assertIn(word, answer.headers["set-cookie"])
        nobody.post("/api/v1/setup", {"key": key, "user": "eve", "password": PASSWORD}, 401)
        browser = ac.Client(self.address)
        browser.post("/api/v1/session", {"user": "ann", "password": PASSWORD + "x"}, 401)
        login = browser.call("POST", "/api/v1/session", {"user": "ann", "password": PASSWORD})
        browser.cookie = re.match(r"caudal_session=([\w-]{43});", login.headers["set-cookie"])[1]
        self.assertEqual(browser.get("/api/v1/session")["user"], "ann")
        bob = {"user": "bob", "role": "viewer", "password": PASSWORD}
        browser.post("/api/v1/users", bob, 403)
        browser.csrf = "wrong"
        browser.post("/api/v1/users", bob, 403)
        browser.csrf = login.json()["csrf"]
        self.assertEqual(browser.call("POST", "/api/v1/users", bob, {"Origin": "http://evil.example"}).status, 403)
        browser.post("/api/v1/users", bob, 201)
        browser.post("/api/v1/users", bob, 409)
        browser.post("/api/v1/users/ann", {"role": "viewer"}, 409, "PATCH")
        browser.post("/api/v1/users/bob", {"role": "operator"}, 200, "PATCH")
        made = browser.call("POST", "/api/v1/tokens", {"name": "ci", "role": "viewer", "days": 1}, keep_secret=True).json()
        program = ac.Client(self.address, made["token"])
        program.get("/api/v1/overview")
        program.post("/api/v1/session/password", {"old": "x", "new": PASSWORD}, 422, "PUT")
        browser.post("/api/v1/tokens/" + made["id"], None, 200, "DELETE")
        program.get("/api/v1/overview", 401)
        other = ac.Client(self.address)
        login = other.call("POST", "/api/v1/session", {"user": "ann", "password": PASSWORD})
        other.cookie, other.csrf = re.match(r"caudal_session=([\w-]{43});", login.headers["set-cookie"])[1], login.json()["csrf"]
        other.post("/api/v1/session/password", {"old": PASSWORD, "new": PASSWORD + " staple"}, 200, "PUT")
        other.get("/api/v1/session")
        browser.get("/api/v1/session", 401)
        other.post("/api/v1/users/bob", None, 200, "DELETE")
        other.post("/api/v1/session", None, 200, "DELETE")
        other.get("/api/v1/session", 401)

    def test_guessing_is_slowed_down(self):
        nobody = ac.Client(self.address)
        statuses = [nobody.call("POST", "/api/v1/session", {"user": "victor", "password": f"guess {i}"}, {"X-Forwarded-For": f"10.0.0.{i}"}).status for i in range(12)]
        self.assertEqual(statuses[-1], 429)
        self.assertEqual(set(statuses[:5]), {401})

    def test_another_host_is_refused(self):
        for host, status in [("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost:1", 200), ("[::1]:80", 200), ("", 421)]:
            self.assertEqual(self.admin.call("GET", "/api/v1/session", headers={"Host": host}).status, status, host)

    # Hard times

    def test_broken_requests(self):
        for data, status in [(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n", b" 431 "),
                             (b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", b" 413 "),
                             (b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + b"a" * 70000, b" 413 "),
                             (b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
                             (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b" 400 "), (b"GET / HTTP/1.1\r\n\r\n", b" 400 "),
                             (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b" 400 "), (b"GET /\r\n\r\n", b" 400 "), (b"A" * 20000, b"HTTP/1.1 4"),
                             (b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b" 400 ")]:
            got = self.admin.raw(data, half_close=True)
            self.assertIn(status, got[:40], data[:80])
        many = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(200)) + b"\r\n"
        self.assertIn(b" 431 ", self.admin.raw(many, half_close=True)[:40])
        two = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
        self.assertEqual(self.admin.raw(two, half_close=True).count(b"HTTP/1.1 200"), 2, "one after the other on one connection")

    def test_random_requests_break_nothing(self):
        dice = random.Random(int(os.environ.get("CAUDAL_SEED", "7")))
        words = ["api", "v1", "runs", "tables", "users", "..", ".", "", "%2e%2e", "%00", "%ff", "gold.total", "a" * 300, "'", "\"", "{run}", "%C3%A9",
                 "log", "matrix", "pipelines", "daily", "versions", "-1", "99999999999999999999"]
        values = [None, 0, -1, 1e300, 2**70, "", "x", "\u0000", "😀", [], {}, [[[]]], {"a": {"b": 1}}, True, ["gold.total", 1], "a" * 5000]
        names = ["pipeline", "select", "exclude", "full_refresh", "user", "password", "role", "key", "name", "days", "old", "new", "x"]
        clients = [self.clients["none"], self.clients["operator"], self.admin]
        for i in range(400):
            if i % 2:
                method, path, operation = dice.choice([o for o in ac.OPERATIONS if o[2]["operationId"] not in ("events", "login", "begin")])
                path = re.sub(r"\{\w+\}", lambda _: dice.choice(words).replace("/", "") or "x", path)
            else:
                method, path = dice.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY"]), "/" + "/".join(dice.choices(words, k=dice.randrange(1, 6)))
            if dice.random() < 0.3:
                path += "?" + "&".join(f"{dice.choice(names + ['limit', 'after', 'cursor'])}={dice.choice(['1', '-1', '%', '%zz', '1e9', '', 'a' * 100])}" for _ in range(2))
            if path.split("?")[0] == "/api/v1/events":
                continue
            body = {dice.choice(names): dice.choice(values) for _ in range(dice.randrange(4))} if method not in ("GET", "HEAD") else None
            raw = dice.choice([None, None, "{", "[" * 30000, "\"\\ud800\"", "{}" * 10, "nul"]) if body is not None else None
            answer = dice.choice(clients).call(method, path, None if raw else body, {"Content-Type": "application/json"} if raw else None, raw=raw)
            self.assertTrue(answer.status < 500 or answer.status == 503, f"{method} {path} {body} {raw and raw[:50]}: {answer.status} {answer.body[:300]}")
        self.assertEqual(self.admin.get("/health/ready"), {"status": "ok"})

    def test_a_slow_client_is_cut_off_and_holds_up_nobody(self):
        with self.admin.connect() as slow:
            slow.sendall(b"GET /health/live HTTP/1.1\r\nHost: loc")
            began = time.monotonic()
            self.admin.get("/health/live")
            got = slow.recv(65536)
            self.assertIn(b" 408 ", got[:40])
            self.assertLess(time.monotonic() - began, 40)

    def test_a_thousand_idle_connections(self):
        idle = []
        try:
            for _ in range(1000):
                idle.append(self.admin.connect())
            idle[0].sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b" 200 ", idle[0].recv(4096)[:40])
            self.admin.get("/api/v1/overview")
            self.assertLess(self.daemon.memory_mb(), dp.MOST_MB)
            metrics = self.admin.call("GET", "/metrics").body
            self.assertGreaterEqual(int(re.search(r"^caudal_http_connections (\d+)", metrics, re.M)[1]), 1000)
        finally:
            for connection in idle:
                connection.close()

    # Events

    def stream(self, path="/api/v1/events", headers=""):
        s = self.admin.connect()
        self.addCleanup(s.close)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.tokens['viewer']}\r\n{headers}\r\n".encode())
        return s.makefile("r", encoding="utf-8", newline="\n")

    def events_until(self, lines, event, **fields):
        seen = []
        for line in lines:
            if line.startswith("data: "):
                data = json.loads(line[6:])
                ac.validator({"$ref": "#/components/schemas/Event"}).validate(data)
                seen.append(data)
                if data["event"] == event and all(data.get(k) == v for k, v in fields.items()):
                    return seen
        raise AssertionError(f"the stream ended: {seen}")

    def test_events_come_as_they_happen_and_again_after_a_pause(self):
        lines = self.stream()
        while lines.readline().strip():
            pass
        run = self.admin.post("/api/v1/runs", {"pipeline": "go"}, 202)["run"]
        seen = self.events_until(lines, "run.succeeded", run=run)
        numbers = [e["sequence"] for e in seen]
        self.assertEqual(numbers, sorted(set(numbers)))
        mine = [e["event"] for e in seen if e.get("run") == run]
        self.assertEqual((mine[0], mine[-1]), ("run.started", "run.succeeded"))
        again = self.events_until(self.stream(headers=f"Last-Event-ID: {numbers[0]}\r\n"), "run.succeeded", run=run)
        self.assertEqual([e["sequence"] for e in again], numbers[1:])
        reset = self.stream("/api/v1/events?after=999999999")
        for line in reset:
            if line == "event: reset\n":
                break
        else:
            self.fail("no reset came")

    # Last: what all of them got

    def test_zz_no_secret_was_in_any_answer(self):
        secrets = [*self.tokens.values(), SECRET, PASSWORD, "$argon2id$"]
        self.assertGreater(len(ac.Client.seen), 500)
        for method, path, body in ac.Client.seen:
            for secret in secrets:
                self.assertNotIn(secret, body, f"{method} {path}")
        log = json.dumps(self.daemon.lines)
        for secret in secrets:
            self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main()
