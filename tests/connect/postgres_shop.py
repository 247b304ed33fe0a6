"""A project that reads a real PostgreSQL server, for the tests beside this file."""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import shutil

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "servers"))
import postgres  # noqa: E402

CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))

PROJECT = "name: pg\ndefaults: {retries: []}\nlimits: {slots: 2, memory: 1GB}\nformats: [delta]\n"


class Project:
    """`password` is what ${PG_PASSWORD} holds."""

    def __init__(self, password):
        self.folder = tempfile.mkdtemp(prefix="caudal-pg-")
        self.password = password
        self.write("caudal.yaml", PROJECT)
        self.write("pipelines/daily.yaml", "description: everything\nretries: []\n")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def source(self, server, streams, name="shop", **options):
        """sources/<name>.yaml; None takes an option out."""
        words = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": "reader", "password": "${PG_PASSWORD}", **options}
        lines = ["type: postgres"] + [f"{word}: {value}" for word, value in words.items() if value is not None] + ["streams:"]
        self.write(f"sources/{name}.yaml", "\n".join(lines) + "\n" + "".join(f"  {stream}: {text}\n" for stream, text in streams.items()))

    def caudal(self, *words, prefix=(), timeout=600):
        return subprocess.run([*prefix, CAUDAL, *words], cwd=self.folder, text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", "PG_PASSWORD": self.password,
                                                             "ASAN_OPTIONS": "detect_leaks=0"})

    def ok(self, *words, **more):
        done = self.caudal(*words, **more)
        assert done.returncode == 0, f"caudal {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def rows(self, sql):
        return list(csv.reader(io.StringIO(self.ok("sql", sql, "--output", "csv", "--max-rows", "100000"))))[1:]

    def last_task(self, table):
        """The newest run's record of a table's task."""
        tasks = json.loads(self.ok("history", "--output", "json"))["runs"][0]["tasks"]
        return [task for task in tasks if task["table"] == table][-1]
