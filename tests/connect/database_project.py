"""A project that reads a real database server, for the tests beside this file."""
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
CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))

PROJECT = "name: db\ndefaults: {retries: []}\nlimits: {slots: 2, memory: 1GB}\nformats: [delta]\n"


class Project:
    """`kind` is the sources' `type:`, `password` what ${DB_PASSWORD} holds."""

    def __init__(self, kind, password):
        self.folder = tempfile.mkdtemp(prefix="caudal-db-")
        self.kind, self.password = kind, password
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
        words = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": "reader", "password": "${DB_PASSWORD}", **options}
        lines = [f"type: {self.kind}"] + [f"{word}: {value}" for word, value in words.items() if value is not None] + ["streams:"]
        self.write(f"sources/{name}.yaml", "\n".join(lines) + "\n" + "".join(f"  {stream}: {text}\n" for stream, text in streams.items()))

    @property
    def environment(self):
        return {**os.environ, "NO_COLOR": "1", "DB_PASSWORD": self.password}

    def caudal(self, *words, prefix=(), timeout=600):
        return subprocess.run([*prefix, CAUDAL, *words], cwd=self.folder, text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env=self.environment)

    def begin(self, *words):
        """The command as it runs."""
        return subprocess.Popen([CAUDAL, *words], cwd=self.folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=self.environment)

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
