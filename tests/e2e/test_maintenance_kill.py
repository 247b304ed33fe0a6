"""`optimize`, `purge`, `savepoint` and `rollback` die at a system call: readers see the old or the new table, the next run
completes the formats, and doctor has nothing to say."""
import os
import random
import shutil
import signal
import unittest

import shop_project as sp

POINTS = int(os.environ.get("CAUDAL_KILLS", "3"))
SEED = int(os.environ.get("CAUDAL_SEED", "11"))
CALLS = ("link,linkat", "unlink,unlinkat", "rename", "fsync")


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class MaintenanceKill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = sp.day_one()
        cls.addClassCleanup(cls.shop.remove)
        sp.day_two(cls.shop)
        cls.shop.ok("run", "daily")
        cls.before = cls.shop.dump()

    def die(self, after, *words):
        """Kills at a few calls of each kind, each in a copy. `after`: the rows where it got through, if they are others."""
        chosen = random.Random(SEED)
        killed = 0
        for calls in CALLS:
            for nth in sorted({1, *(chosen.randint(2, 30) for _ in range(POINTS - 1))}):
                with self.subTest(seed=SEED, calls=calls, nth=nth):
                    shop = self.shop.copy()
                    self.addCleanup(shop.remove)
                    done = shop.killed_at(calls, nth, *words)
                    killed += done.returncode == -signal.SIGKILL
                    left = shop.dump()
                    different = sp.difference(self.before, left)
                    self.assertTrue(different == "" or (after is not None and sp.difference(after, left) == ""), different)
                    shop.ok("run", "daily")
                    if after is None:
                        self.assertEqual(sp.difference(self.before, shop.dump()), "")
                    shop.caudal(*words)  # a table at which the killed one was not looks after itself now
                    doctor = shop.caudal("doctor", "--deep")
                    self.assertEqual(doctor.returncode, 0, doctor.stdout)
                    shop.remove()
        self.assertGreater(killed, 3, "some calls were the last")

    def test_optimize(self):
        self.die(None, "optimize")

    def test_purge(self):
        self.die(None, "purge", "--keep-versions", "1", "--reader-grace", "0s")

    def test_savepoint(self):
        self.die(None, "savepoint", "stores.lines", "here")

    def test_rollback(self):
        went = self.shop.copy()
        self.addCleanup(went.remove)
        went.ok("rollback", "gold.daily", "--to", "0")
        self.die(went.dump(), "rollback", "gold.daily", "--to", "0")


if __name__ == "__main__":
    unittest.main()
