"""`caudal serve` as a process, and a small project for it."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shop_project as sp  # noqa: E402

# Takes a few seconds of one core: long enough to be met in the middle.
SLOW_SQL = "SELECT max(a.range * b.range % 7919) AS worst FROM range({n}) AS a, range({n}) AS b\n"
# What a daemon may take; a sanitizer takes memory of its own.
MOST_MB = 1500 if os.environ.get("CAUDAL_PRESET") in ("asan", "tsan") else 150


class Project:
    """A folder with one pipeline `daily` over a CSV drop."""

    def __init__(self, folder, pipelines, slow=0, config=""):
        self.folder = folder
        self.write("caudal.yaml", "name: small\ndefaults: {retries: []}\nlimits: {slots: 1, memory: 1GB}\n" + config)
        self.write("sources/drops.yaml", "type: files\nlocation: in\nsettle: 0s\nstreams:\n  sales:\n    glob: \"*.csv\"\n    format: csv\n"
                                         "    columns: {id: BIGINT, amount: {type: BIGINT, checks: [{max: 100}]}}\n")
        self.write("in/one.csv", "id,amount\n1,10\n2,20\n")
        self.write("models/gold/total.sql", "SELECT count(*) AS n, sum(amount) AS amount FROM drops.sales\n")
        if slow:
            self.write("models/gold/slow.sql", SLOW_SQL.format(n=slow))
        for name, text in pipelines.items():
            self.write(f"pipelines/{name}.yaml", text)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name) + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(self.path(name) + ".new", self.path(name))

    def caudal(self, *words, env=None):
        return subprocess.run([sp.CAUDAL, *words, "--project", self.folder], text=True, capture_output=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, "NO_COLOR": "1", **(env or {})})

    def json(self, *words):
        done = self.caudal(*words, "--output", "json")
        assert done.returncode == 0, f"{words}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout)

    def runs(self, pipeline=None):
        """Oldest first."""
        return [r for r in reversed(self.json("history", "--limit", "1000")["runs"]) if pipeline in (None, r["pipeline"])]

    def rows(self, table):
        return self.json("sql", f"FROM {table}")["rows"]


class Daemon:
    def __init__(self, project, *words, env=None):
        self.project = project
        self.lines = []
        if "--listen" not in words:
            words = ("--listen", "127.0.0.1:0", *words)
        self.process = subprocess.Popen([sp.CAUDAL, "serve", "--project", project.folder, "--output", "json", *words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "text", "text": line})

    def events(self, name):
        return [line for line in list(self.lines) if line["event"] == name]

    def wait(self, name, count=1, limit_s=90, **fields):
        """The count-th line of that event with these fields."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            found = [line for line in self.events(name) if all(line.get(k) == v for k, v in fields.items())]
            if len(found) >= count:
                return found[count - 1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never came: {count} {name} {fields}; there is {self.lines}")

    def kill(self):
        self.process.kill()
        self.end()

    def end(self):
        self.process.wait(60)
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self):
        """SIGTERM; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.end()
        return self.process.returncode

    def memory_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return int(next(line.split()[1] for line in f if line.startswith("VmRSS"))) / 1024
