"""kill -9 at many points of a run, chosen by system call: `caudal retry` then ends in the same tables as a run that was let
alone, and doctor finds nothing. Ten points and more lie inside a commit: the link of an object and the syncs around it."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import shop_project as sp

# (system call, which of them): of the caudal process and, by -f, of its workers. link and linkat place objects: data files,
# raw objects, the log entry itself.
POINTS = ([("linkat,link", n) for n in range(1, 13)] + [("fsync", n) for n in range(1, 25)] +
          [("unlink,unlinkat", n) for n in (1, 2, 3, 5)] + [("fdatasync,pwrite64", n) for n in (1, 2, 4, 8)])


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


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class KillTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = sp.day_one()
        sp.day_two(cls.before)
        clean = cls.before.copy()
        clean.ok("run", "daily")
        cls.expected = clean.dump()
        clean.remove()

    @classmethod
    def tearDownClass(cls):
        cls.before.remove()

    def resume(self, shop):
        retry = shop.caudal("retry")
        if retry.returncode == 3:  # killed before the run was recorded: nothing to continue
            shop.ok("run", "daily")
        else:
            self.assertEqual(retry.returncode, 0, retry.stdout + retry.stderr)
        self.assertEqual(sp.difference(self.expected, shop.dump()), "")
        doctor = shop.caudal("doctor")
        self.assertEqual(doctor.returncode, 0, doctor.stdout + doctor.stderr)
        again = shop.json("history", "gold.daily")
        tasks = [v.get("task") for v in again["versions"] if v.get("task")]
        self.assertEqual(len(tasks), len(set(tasks)), "a task committed twice")

    def test_kill_at_a_system_call(self):
        killed = 0
        for calls, n in POINTS:
            with self.subTest(calls=calls, n=n):
                shop = self.before.copy()
                self.addCleanup(shop.remove)
                done = shop.killed_at(calls, n, "run", "daily")
                died = done.returncode != 0
                killed += died
                deadline = time.monotonic() + 5
                while processes_in(shop.folder) and time.monotonic() < deadline:
                    time.sleep(0.02)
                self.assertEqual(processes_in(shop.folder), [], "a worker outlived its parent")
                if died:
                    self.resume(shop)
                else:
                    self.assertEqual(sp.difference(self.expected, shop.dump()), "")
                shop.remove()
        self.assertGreaterEqual(killed, 30, "too few points were reached: look for system calls that a run still makes")

    def test_kill_of_a_worker_fails_its_task_and_no_more(self):
        shop = self.before.copy()
        self.addCleanup(shop.remove)
        run = subprocess.Popen([sp.CAUDAL, "run", "daily", "--no-retry"], cwd=shop.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, env={**os.environ, "NO_COLOR": "1"})
        victims = 0
        deadline = time.monotonic() + 20
        started = len(glob.glob(shop.folder + "/.caudal/runs/*.ndjson"))
        while run.poll() is None and len(glob.glob(shop.folder + "/.caudal/runs/*.ndjson")) == started:
            time.sleep(0.01)  # before it, nothing is on record that could be retried
        while run.poll() is None and victims < 3 and time.monotonic() < deadline:
            for pid in processes_in(shop.folder):
                if pid != run.pid and victims < 3:
                    try:
                        os.kill(pid, signal.SIGKILL)
                        victims += 1
                    except ProcessLookupError:
                        pass
            time.sleep(0.05)
        out, _ = run.communicate(timeout=120)
        self.assertGreater(victims, 0)
        self.assertGreaterEqual(run.returncode, 0, "the run itself died of a worker's death")
        if run.returncode != 0:
            self.assertRegex(out.strip().splitlines()[-1], r"^caudal retry \S+$")
            self.resume(shop)
        self.assertEqual(sp.difference(self.expected, shop.dump()), "")

    def test_two_runs_at_once_do_not_double_the_day(self):
        shop = self.before.copy()
        self.addCleanup(shop.remove)
        runs = [subprocess.Popen([sp.CAUDAL, "run", "daily"], cwd=shop.folder, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, env={**os.environ, "NO_COLOR": "1"}) for _ in range(2)]
        outs = [run.communicate(timeout=120)[0] for run in runs]
        codes = sorted(run.returncode for run in runs)
        self.assertIn(codes, ([0, 0], [0, 6]), outs)
        if codes == [0, 6]:
            refused = outs[[run.returncode for run in runs].index(6)]
            self.assertTrue(re.search(r"is running already: run \S+, process \d+", refused), refused)
        self.assertEqual(sp.difference(self.expected, shop.dump()), "")


if __name__ == "__main__":
    unittest.main()
