"""`caudal init source`: by options, and by answers on a terminal."""
import json
import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from test_cli import CAUDAL, caudal


class InitSource(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="caudal-source-")
        self.addCleanup(shutil.rmtree, self.top, True)
        self.assertEqual(caudal(self.top, "init", "shop", "--template", "empty").returncode, 0)
        self.folder = os.path.join(self.top, "shop")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def ok(self, *words, **more):
        done = caudal(self.folder, *words, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def drops(self):
        for day in (1, 2):
            self.write(f"drops/sales-{day}.csv", "id,day,amount\n" + "".join(f"{day}{i},2026-01-0{day},{i}.50\n" for i in range(8)))

    def database(self):
        with sqlite3.connect(self.path("erp.db")) as db:
            db.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMP)")
            db.execute("CREATE TABLE Orders (id INTEGER PRIMARY KEY, item TEXT)")
            db.executemany("INSERT INTO customers VALUES (?, ?, '2026-01-01 00:00:00')", [(i, f"c{i}") for i in range(25)])
        db.close()

    def test_files_by_options(self):
        self.drops()
        out = self.ok("init", "source", "--type", "files", "--name", "stores", "--location", "drops", "--glob", "sales-*.csv", "--owner", "Ann", "--freshness", "26h")
        self.assertEqual(self.text("sources/stores.yaml"),
                         "# Words: docs/project.md, docs/connectors/files.md\n"
                         "type: files\nowner: Ann\nfreshness: 26h\nlocation: drops\nstreams:\n"
                         "  sales:\n    glob: sales-*.csv\n    write_disposition: append\n".replace("sales-*.csv", '"sales-*.csv"'))
        self.assertIn("stores.sales:", out)
        self.assertEqual(out.count("2026-01-0"), 10, "ten rows\n" + out)
        self.assertIn("caudal run -s source:stores", out)
        self.assertFalse(os.path.exists(self.path("lake", "stores")), "a look loads nothing")
        self.assertEqual(json.loads(self.ok("validate", "--output", "json"))["warnings"], 0)
        self.ok("run", "-s", "source:stores")
        self.assertIn("16", self.ok("sql", "SELECT count(*) FROM stores.sales", "--output", "csv"))
        self.assertIn("stores", self.ok("sources"))
        # It is never overwritten.
        before = self.text("sources/stores.yaml")
        again = caudal(self.folder, "init", "source", "--type", "files", "--name", "stores", "--location", "drops", "--glob", "*.csv")
        self.assertEqual(again.returncode, 2)
        self.assertEqual(self.text("sources/stores.yaml"), before)

    def test_a_large_file_is_not_read_whole(self):
        self.write("drops/big.csv", "id,text\n" + "".join(f"{i},{'x' * 100}\n" for i in range(50_000)))
        document = json.loads(self.ok("init", "source", "--type", "files", "--name", "big", "--location", "drops", "--glob", "*.csv", "--stream", "rows", "--output", "json"))
        self.assertEqual(len(document["streams"][0]["rows"]), 10)
        self.assertEqual([c["name"] for c in document["streams"][0]["columns"]], ["id", "text"])
        self.assertEqual(document["connection"], {"ok": True})
        self.assertEqual(document["file"], "sources/big.yaml")

    def test_other_formats(self):
        for name, text in (("a.ndjson", '{"id": 1, "name": "x"}\n{"id": 2}\n'), ("a.json", '[{"id": 1, "name": "x"}, {"id": 2}]')):
            kind = name.split(".")[1]
            self.write("in_" + kind + "/" + name, text)
            document = json.loads(self.ok("init", "source", "--type", "files", "--name", kind + "_in", "--location", "in_" + kind, "--glob", "*." + kind, "--stream", "rows",
                                          "--output", "json"))
            self.assertEqual([r["id"] for r in document["streams"][0]["rows"]], [1, 2])

    def test_a_database_says_its_tables_and_keys(self):
        self.database()
        missing = caudal(self.folder, "init", "source", "--type", "sqlite", "--name", "erp", "--database", "erp.db")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("Orders, customers", missing.stderr)
        self.assertFalse(os.path.exists(self.path("sources/erp.yaml")))
        self.ok("init", "source", "--type", "sqlite", "--name", "erp", "--database", "erp.db", "--stream", "customers", "--stream", "Orders", "--cursor", "id")
        text = self.text("sources/erp.yaml")
        self.assertIn("  customers:\n    write_disposition: merge\n    primary_key: id\n    incremental: id\n", text)
        self.assertIn("  orders:\n    table: Orders\n    write_disposition: merge\n", text)
        self.ok("run")
        self.assertIn("25", self.ok("sql", "SELECT count(*) FROM erp.customers", "--output", "csv"))
        wrong = caudal(self.folder, "init", "source", "--type", "sqlite", "--name", "other", "--database", "erp.db", "--stream", "custmers")
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("did you mean 'customers'?", wrong.stderr)

    def test_by_force(self):
        done = caudal(self.folder, "init", "source", "--type", "files", "--name", "later", "--location", "later", "--glob", "*.csv", "--stream", "rows")
        self.assertEqual(done.returncode, 3)
        self.assertFalse(os.path.exists(self.path("sources/later.yaml")))
        out = self.ok("init", "source", "--type", "files", "--name", "later", "--location", "later", "--glob", "*.csv", "--stream", "rows", "--force")
        self.assertIn("The source did not answer", out)
        self.assertIn("location: later", self.text("sources/later.yaml"))

    def test_a_project_may_still_be_called_source(self):
        self.assertEqual(caudal(self.top, "init", "./source").returncode, 0)
        self.assertTrue(os.path.exists(os.path.join(self.top, "source", "caudal.yaml")))

    def answers(self, *answers):
        """Types each answer when the next question stands on the terminal. Gives the exit code and what was shown."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.environ["NO_COLOR"] = "1"
            os.execv(CAUDAL, [CAUDAL, "init", "source"])
        shown, waiting, asked = "", list(answers), 0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    break
                if not data:
                    break
                shown += data.decode(errors="replace")
            if waiting and shown[asked:].endswith(": "):
                asked = len(shown)
                os.write(terminal, (waiting.pop(0) + "\n").encode())
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        return os.waitstatus_to_exitcode(status), shown

    def test_questions_about_files(self):
        self.drops()
        code, shown = self.answers("files", "stores", "drops", "sales-*.csv", "")
        self.assertEqual(code, 0, shown)
        for question in ("Type of the source (delta, files, http, mysql, postgres, singer, sqlite): ", "Name of the source", "location: Folder of the files", "glob: Names below", "[sales]: "):
            self.assertIn(question, shown)
        self.assertIn("stores.sales:", shown)
        self.assertIn("  sales:", self.text("sources/stores.yaml"))
        self.ok("run")

    def test_a_server_wants_more_answers_than_a_folder(self):
        code, shown = self.answers("files", "drops", "sftp://127.0.0.1:1/in", "me", "${DROPS_PASSWORD}", "SHA256:x")
        self.assertEqual(shown.count("who logs in"), 1, shown)
        self.assertIn("fingerprint of the server's key", shown)
        self.assertNotIn("access_key_id", shown)
        self.assertNotEqual(code, 0)

    def test_questions_about_a_database(self):
        self.database()
        code, shown = self.answers("sqlite", "erp", "erp.db", "customers, Orders", "updated_at", "")
        self.assertEqual(code, 0, shown)
        self.assertIn("Streams to load, with commas between them (Orders, customers): ", shown)
        self.assertIn("incremental: updated_at", self.text("sources/erp.yaml"))
        self.ok("run")

    def test_a_wrong_answer_is_an_error(self):
        code, shown = self.answers("filez")
        self.assertEqual(code, 2, shown)
        self.assertIn("did you mean 'files'?", shown)
        code, shown = self.answers("files", "stores", "nowhere")
        self.assertEqual(code, 3, shown)
        self.assertIn("nothing was written", shown)
        self.assertEqual(os.listdir(self.path("sources")), [])

    def test_a_secret_is_asked_for_by_its_name(self):
        code, shown = self.answers("postgres", "erp", "127.0.0.1", "shop", "reader", "hunter2")
        self.assertEqual(code, 2, shown)
        self.assertIn("as ${NAME} of the environment", shown)
        self.assertEqual(shown.count("hunter2"), 1, "typed once, repeated nowhere: " + shown)

    def test_the_answers_end(self):
        done = subprocess.run([CAUDAL, "init", "source"], cwd=self.folder, text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--type", done.stderr)


if __name__ == "__main__":
    unittest.main()
