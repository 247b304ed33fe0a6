"""Singer taps: two real ones from PyPI against real servers, and one of shell that tries what a tap may not do."""
import json
import os
import stat
import subprocess
import sys
import time
import unittest

from database_project import Project, TOP
import packages
import postgres

PASSWORD = "it's a pass\"word"
FORMAT = "{primary_key: id, write_disposition: merge%s}"
HTTP_SERVER = os.path.join(TOP, "tests", "servers", "http_server.py")


class SingerProject(Project):
    def __init__(self):
        super().__init__("singer", PASSWORD)

    def tap(self, command, config, streams, **options):
        words = {"command": command, "config": json.dumps(config), **options}
        lines = ["type: singer", *[f"{word}: {value}" for word, value in words.items()], "streams:"]
        self.write("sources/shop.yaml", "\n".join(lines) + "\n" + "".join(f"  {stream}: {text}\n" for stream, text in streams.items()))

    def everything_written(self):
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb") as f:
                        yield path, f.read()


@unittest.skipIf(postgres.REASON, postgres.REASON)
class TapPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = packages.fetch("tap-postgres")
        if why:
            raise unittest.SkipTest(why)
        cls.server = postgres.Server()
        cls.addClassCleanup(cls.server.close)
        quoted = PASSWORD.replace("'", "''")
        cls.server.sql(f"CREATE ROLE reader LOGIN PASSWORD '{quoted}'")

    def setUp(self):
        self.server.sql("CREATE DATABASE shop")
        self.addCleanup(lambda: self.server.sql("DROP DATABASE shop WITH (FORCE)"))
        self.server.sql("""CREATE TABLE orders (id int PRIMARY KEY, item text, price numeric(10,2), updated_at timestamptz NOT NULL);
            INSERT INTO orders SELECT g, 'item ' || g, g / 4.0, '2026-01-01'::timestamptz + g * interval '1 minute' FROM generate_series(1, 500) AS g;
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader""", "shop")
        self.project = SingerProject()
        self.addCleanup(self.project.remove)
        self.point()

    def point(self, **stream):
        config = {"host": "127.0.0.1", "port": self.server.port, "user": "reader", "password": "${DB_PASSWORD}", "dbname": "shop"}
        words = "".join(f", {word}: {value}" for word, value in {"tap_stream": "public-orders", "incremental": "{cursor: updated_at}", **stream}.items())
        self.project.tap(packages.program("tap-postgres", "tap-postgres"), config, {"orders": FORMAT % words})

    def orders(self):
        return self.project.rows("SELECT id, item, price FROM shop.orders ORDER BY id")

    def test_loads_then_goes_on_from_the_taps_state(self):
        self.project.ok("connection", "test", "shop")
        self.project.ok("run")
        rows = self.orders()
        self.assertEqual(len(rows), 500)
        self.assertEqual(rows[2], ["3", "item 3", "0.75"])
        self.server.sql("UPDATE orders SET item = 'other', updated_at = '2026-02-01' WHERE id = 7; INSERT INTO orders VALUES (501, 'new', 1, '2026-02-02')", "shop")
        self.project.ok("run")
        self.assertLess(self.project.last_task("shop.orders")["rows_read"], 10)
        rows = self.orders()
        self.assertEqual(len(rows), 501)
        self.assertEqual(rows[6][1], "other")
        # The rows come back from raw where the source is gone.
        self.server.sql("DROP TABLE orders", "shop")
        self.project.ok("backfill", "shop.orders", "--from-raw")
        self.assertEqual(self.orders(), rows)
        for path, content in self.project.everything_written():
            self.assertNotIn(PASSWORD.encode(), content, path)

    def test_what_is_wrong_is_named(self):
        self.point(tap_stream="public-nothing")
        failed = self.project.caudal("run")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("there are: public-orders", failed.stdout + failed.stderr)
        self.server.sql("ALTER ROLE reader NOLOGIN")
        self.addCleanup(lambda: self.server.sql("ALTER ROLE reader LOGIN"))
        failed = self.project.caudal("connection", "test", "shop")
        said = failed.stdout + failed.stderr
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn('role "reader" is not permitted to log in', said)
        self.assertNotIn(PASSWORD, said)

    def test_a_server_that_dies_loses_nothing(self):
        self.project.ok("run")
        self.server.sql("INSERT INTO orders VALUES (501, 'new', 1, '2026-02-02')", "shop")
        self.server.stop("immediate")
        try:
            failed = self.project.caudal("run")
        finally:
            self.server.start()
        self.assertNotEqual(failed.returncode, 0)
        self.assertEqual(len(self.orders()), 500)
        self.project.ok("retry")
        self.assertEqual(len(self.orders()), 501)


class TapRestApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = packages.fetch("tap-rest-api")
        if why:
            raise unittest.SkipTest(why)
        cls.server = subprocess.Popen([sys.executable, HTTP_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end_server)
        cls.port = int(cls.server.stdout.readline())

    @classmethod
    def end_server(cls):
        cls.server.stdin.close()
        cls.server.wait(30)
        cls.server.stdout.close()

    def test_a_tap_of_the_sdk(self):
        project = SingerProject()
        self.addCleanup(project.remove)
        config = {"api_url": f"http://127.0.0.1:{self.port}", "auth_method": "no_auth",
                  "streams": [{"name": "items", "path": "/etag", "records_path": "$.data[*]", "primary_keys": ["id"]}]}
        project.tap(packages.program("tap-rest-api", "tap-rest-api-msdk"), config, {"items": FORMAT % ""})
        project.ok("run")
        self.assertEqual(project.rows("SELECT id, name FROM shop.items ORDER BY id"), [[str(i), f"item {i}"] for i in range(1, 6)])


# What each line prints is "<name> refused" or "<name> done".
ATTEMPTS = r"""#!/bin/sh
case "$*" in *--discover*) echo '{"streams": [{"tap_stream_id": "tries", "stream": "tries", "schema": {"properties": {"id": {"type": "integer"}}}}]}'; exit;; esac
try() { name=$1; shift; if "$@" > /dev/null 2>&1; then end=done; else end=refused; fi
  echo '{"type": "RECORD", "stream": "tries", "record": {"id": "'$name'", "ended": "'$end'"}}'; }
try read-project cat "PROJECT/caudal.yaml"
try read-secrets cat "PROJECT/.caudal/secrets.env"
try write-project sh -c "echo x > PROJECT/new"
try write-tmp sh -c "echo x > /tmp/caudal-tap-was-here"
try rights chmod 777 "$0"
try secrets-of-others sh -c "cat /proc/[0-9]*/environ | grep -q DB_PASSWORD"
try mount mount -t tmpfs none /mnt
try read-listed cat "PROJECT/listed/a.txt"
try write-home sh -c "echo x > $HOME/x"
try start-programs sh -c "ls / | sort"
"""
ALLOWED = {"read-listed", "write-home", "start-programs"}


class WhatATapMayDo(unittest.TestCase):
    def test_it_gets_its_rights_and_no_more(self):
        project = SingerProject()
        self.addCleanup(project.remove)
        project.write("taps/tap", ATTEMPTS.replace("PROJECT", project.folder))
        os.chmod(project.path("taps", "tap"), 0o755)
        project.write(".caudal/secrets.env", "OTHER=x\n")
        os.chmod(project.path(".caudal", "secrets.env"), 0o600)
        project.write("listed/a.txt", "x")
        project.tap("taps/tap", {}, {"tries": FORMAT % ""}, read="[listed]")
        project.ok("run")
        ends = dict(project.rows("SELECT id, ended FROM shop.tries"))
        expected = [line.split()[1] for line in ATTEMPTS.splitlines() if line.startswith("try ")]
        self.assertEqual(ends, {name: "done" if name in ALLOWED else "refused" for name in expected})
        self.assertFalse(os.path.exists("/tmp/caudal-tap-was-here"))

    def test_a_cancelled_run_leaves_no_tap(self):
        project = SingerProject()
        self.addCleanup(project.remove)
        project.write("taps/tap", ATTEMPTS.splitlines()[0] + "\n" + ATTEMPTS.splitlines()[1] + "\nexec sleep 1000\n")
        os.chmod(project.path("taps", "tap"), 0o755)
        project.tap("taps/tap", {}, {"tries": FORMAT % ""})
        run = project.begin("run")
        try:
            self.wait_for(lambda: self.taps(project) != [])
            run.kill()
            self.wait_for(lambda: self.taps(project) == [])
        finally:
            run.kill()
            run.communicate(timeout=60)

    @staticmethod
    def taps(project):
        """Processes whose HOME is below the project, as the tap's is."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read()
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if words.startswith(b"sleep\x001000") and project.folder.encode() in f.read():
                        found.append(int(pid))
            except OSError:
                continue
        return found

    def wait_for(self, condition):
        for _ in range(600):
            if condition():
                return
            time.sleep(0.1)
        self.fail("it did not come to that within a minute")


if __name__ == "__main__":
    unittest.main()
