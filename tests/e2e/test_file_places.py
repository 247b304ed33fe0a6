"""Files at their places, through the whole program: drops on an SFTP server, a bucket, archives, manifests and trailers; and what
becomes of files once their rows are committed."""
import hashlib
import os
import shutil
import sys
import unittest
import zipfile

import shop_project as sp
from test_rejects import bare_shop

sys.path.insert(0, os.path.join(sp.TOP, "tests", "servers"))
import s3  # noqa: E402
import sftp  # noqa: E402

ROWS = "SELECT id, name FROM drops.lines ORDER BY id"


class Drops(unittest.TestCase):
    """A project with one source `drops` and its stream `lines`."""

    def setUp(self):
        self.shop = bare_shop()
        self.addCleanup(self.shop.remove)

    def define(self, source, stream):
        self.shop.write("sources/drops.yaml", "type: files\nsettle: 0s\n" + source + "streams:\n  lines: {write_disposition: append, " + stream + "}\n")

    def drop(self, name, ids, name_of="n", trailer=""):
        self.shop.write("in/" + name, "id,name\n" + "".join(f"{i},{name_of}{i}\n" for i in ids) + trailer)

    def load(self, code=0, **more):
        done = self.shop.caudal("run", "-s", "drops.lines", **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def rows(self):
        return [tuple(row) for row in self.shop.rows(ROWS)[1:]]

    def expect(self, ids, name_of="n"):
        self.assertEqual(self.rows(), [(str(i), f"{name_of}{i}") for i in ids])

    def here(self, *parts):
        return os.path.exists(self.shop.path("in", *parts))


class OnSftp(Drops):
    def setUp(self):
        super().setUp()
        self.assertEqual(sftp.REASON, "")  # never skipped: scripts/setup brings the server
        self.server = sftp.Server()
        self.addCleanup(self.server.close)
        shutil.copy(self.server.path("user_key"), self.shop.path("user_key"))
        os.chmod(self.shop.path("user_key"), 0o600)
        self.point()

    def point(self, key=None, stream="glob: '**/*.csv'"):
        self.define(f"location: sftp://127.0.0.1:{self.server.port}{self.server.files}\nuser: {self.server.user}\nkey_file: user_key\n"
                    f"host_key: \"{key or self.server.fingerprint}\"\n", stream)

    def drop(self, name, ids, name_of="n", trailer=""):
        path = os.path.join(self.server.files, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,name\n" + "".join(f"{i},{name_of}{i}\n" for i in ids) + trailer)
        self.server.own()

    def test_a_drop_every_eight_hours(self):
        self.shop.ok("connection", "test", "drops")
        for n, hour in enumerate(("00", "08", "16")):
            self.drop(f"2026-11-22/{hour} lines é.csv", range(10 * n, 10 * n + 5))
            self.load()
        self.expect([*range(0, 5), *range(10, 15), *range(20, 25)])
        self.assertIn("nothing new", self.load())
        self.drop("2026-11-22/08 lines é.csv", range(10, 13), name_of="m")  # repaired: exactly its own rows change
        self.load()
        self.assertEqual([r for r in self.rows() if 10 <= int(r[0]) < 20], [(str(i), f"m{i}") for i in range(10, 13)])
        self.assertEqual(len(self.rows()), 13)

    def test_another_host_key_stops_the_run_and_nothing_is_lost(self):
        self.drop("a.csv", range(3))
        self.load()
        self.drop("b.csv", range(3, 6))
        self.server.rekey()
        self.server.own()
        out = self.load(code=4)
        self.assertIn("is not the one that the source states", out)
        self.assertIn(self.server.fingerprint, out)
        self.point()
        self.load()
        self.expect(range(6))

    def test_a_server_that_is_away_is_told_and_asked_again(self):
        self.drop("a.csv", range(3))
        self.server.stop()
        self.assertIn("cannot connect to sftp://127.0.0.1", self.load(code=5))
        self.server.start()
        self.load()
        self.expect(range(3))

    def test_files_are_moved_behind_the_commit(self):
        self.point(stream="glob: '*.csv', after_load: move, move_to: loaded")
        self.drop("a.csv", range(3))
        self.assertIn("1 file moved to loaded", self.load())
        self.assertEqual(sorted(os.listdir(self.server.files)), ["loaded"])
        self.drop("a.csv", range(3, 7))  # the same name again, another content
        self.load()
        # Its rows replace those of the file of that name: it is the same file as far as anybody can tell.
        self.expect(range(3, 7))
        moved = os.path.join(self.server.files, "loaded")
        again = next(name for name in os.listdir(moved) if name != "a.csv")
        with open(os.path.join(moved, again), "rb") as f:
            self.assertEqual(again, hashlib.sha256(f.read()).hexdigest()[:12] + "-a.csv")


class OnS3(Drops):
    def test_a_bucket_is_a_place_like_another(self):
        if why := s3.reason("moto"):
            self.skipTest(why)
        server = s3.server("moto")
        self.addCleanup(server.close)

        def put(key, text):
            s3.urllib.request.urlopen(s3.signed("PUT", server.endpoint, "/lake/" + key, (), (), text.encode()), timeout=30).close()

        put("in/a b é.csv", "id,name\n1,n1\n")
        put("in/2026/b.csv", "id,name\n2,n2\n")
        put("elsewhere/c.csv", "id,name\n3,n3\n")
        self.define("location: s3://lake/in\n", "glob: '**/*.csv', after_load: move, move_to: loaded")
        self.assertIn("2 files moved to loaded", self.load(env=server.environment))
        self.expect([1, 2])
        self.assertEqual(sorted(server.keys()), ["elsewhere/c.csv", "in/loaded/2026/b.csv", "in/loaded/a b é.csv"])
        self.define(f"location: s3://lake/in\nendpoint: {server.endpoint}\naccess_key_id: ${{DROPS_ID}}\nsecret_access_key: ${{DROPS_SECRET}}\n",
                    "glob: '**/*.csv'")
        put("in/d.csv", "id,name\n4,n4\n")
        out = self.load(env={"DROPS_ID": s3.ID, "DROPS_SECRET": "canary-of-a-secret"})  # moto looks at no signature
        self.assertNotIn("canary", out)
        self.expect([1, 2, 4])


class AfterLoading(Drops):
    def test_what_a_kill_left_is_moved_by_the_next_run(self):
        self.define("location: in\n", "glob: '*.csv', after_load: move, move_to: loaded")
        self.drop("a.csv", range(3))
        self.drop("b.csv", range(3, 6))
        # The worker dies at its second rename: the rows are committed, one file is moved.
        done = self.shop.killed_at("renameat2", 2, "run", "-s", "drops.lines")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.expect(range(6))
        self.assertTrue(self.here("loaded", "a.csv") and self.here("b.csv"), os.listdir(self.shop.path("in")))
        self.assertIn("1 file moved to loaded", self.load())
        self.assertTrue(self.here("loaded", "b.csv") and not self.here("b.csv"))
        self.expect(range(6))
        self.assertIn("nothing new", self.load())

    def test_files_of_a_failed_run_stay(self):
        self.define("location: in\n", "glob: '*.csv', after_load: delete, trailer: 'END;{rows}'")
        self.drop("a.csv", range(3), trailer="END;4\n")
        self.assertIn("a.csv has 3 rows, and its trailer says 4", self.load(code=1))
        self.assertTrue(self.here("a.csv"))
        self.drop("a.csv", range(4), trailer="END;4\n")
        self.assertIn("1 file deleted", self.load())
        self.assertFalse(self.here("a.csv"))
        self.expect(range(4))

    def test_a_place_that_may_not_be_written_is_a_note(self):
        self.define("location: in\n", "glob: '*.csv', after_load: move, move_to: loaded")
        self.drop("a.csv", range(3))
        with open(self.shop.path("in", "loaded"), "w", encoding="utf-8"):
            pass  # a file where the folder should be
        self.assertIn("a.csv stays where it is", self.load())
        self.expect(range(3))


class Promised(Drops):
    def put(self, name, ids, rows, name_of="n", manifest=False):
        self.drop(name, ids, name_of, "" if manifest else f"END;{rows}\n")
        if manifest:
            with open(self.shop.path("in", name), "rb") as f:
                data = f.read()
            self.shop.write("in/" + name + ".manifest", f"file,size,sha256,rows\n{name},{len(data)},{hashlib.sha256(data).hexdigest()},{rows}\n")

    def repair(self, stream, manifest):
        self.define("location: in\n", "glob: '*.csv', " + stream)
        self.put("a.csv", range(3), 3, manifest=manifest)
        self.put("b.csv", range(3, 6), 3, manifest=manifest)
        self.load()
        self.expect(range(6))
        self.put("a.csv", range(2), 3, "m", manifest)  # cut at a line end: it looks whole
        self.assertIn("a.csv has 2 rows", self.load(code=1))
        self.expect(range(6))  # nothing of it is published
        self.put("a.csv", range(2), 2, "m", manifest)
        self.load()
        self.assertEqual(self.rows(), [("0", "m0"), ("1", "m1"), ("3", "n3"), ("4", "n4"), ("5", "n5")])

    def test_a_file_repaired_by_its_trailer_replaces_exactly_its_own_rows(self):
        self.repair("trailer: 'END;{rows}'", manifest=False)

    def test_a_file_repaired_by_its_manifest_replaces_exactly_its_own_rows(self):
        self.repair("manifest: '*.manifest'", manifest=True)

    def test_a_row_of_an_archive_names_archive_and_member(self):
        os.mkdir(self.shop.path("in"))
        with zipfile.ZipFile(self.shop.path("in", "day.zip"), "w") as z:
            z.writestr("lines.csv", "id,name\n1,n1\n2,n2\n")
            z.writestr("sub/more.csv", "id,name\n3,n3\n")
        self.define("location: in\n", "glob: '*.zip'")
        self.load()
        self.expect([1, 2, 3])
        self.assertIn("day.zip/sub/more.csv", self.shop.ok("why", "drops.lines", "--where", "id = 3"))
        with zipfile.ZipFile(self.shop.path("in", "day.zip"), "w") as z:
            z.writestr("lines.csv", "id,name\n1,n1\n2,n2\n")
            z.writestr("sub/more.csv", "id,name\n3,changed\n")
        self.load()
        self.assertEqual(self.rows(), [("1", "n1"), ("2", "n2"), ("3", "changed")])
        self.shop.ok("backfill", "drops.lines", "--from-raw")
        self.assertEqual(self.rows(), [("1", "n1"), ("2", "n2"), ("3", "changed")])


if __name__ == "__main__":
    unittest.main()
