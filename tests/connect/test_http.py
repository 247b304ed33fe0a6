"""The http connector from sources/*.yaml to the table, against a real server: credentials, children, retries, death, memory."""
import os
import signal
import subprocess
import sys
import time
import unittest

from database_project import TOP, Project

CANARY = "s3cret/canary"


class Server:
    """tests/servers/http_server.py as a process of its own."""

    def __init__(self, port=0):
        self.process = subprocess.Popen([sys.executable, os.path.join(TOP, "tests", "servers", "http_server.py"), str(port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class HttpTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(lambda: self.server.close())
        self.project = Project("http", CANARY)
        self.addCleanup(self.project.remove)

    def define(self, streams, client=""):
        base = f"http://127.0.0.1:{self.server.port}"
        self.project.write("sources/api.yaml", f"type: http\nclient: {{base_url: '{base}/', allow_private: true{client.format(base=base)}}}\n"
                           "resource_defaults: {primary_key: id, write_disposition: merge}\nstreams:\n" +
                           "".join(f"  {name}: {text}\n" for name, text in streams.items()))

    def everything(self):
        """Every byte of the project folder that is no Parquet file, raw objects unpacked."""
        found = b""
        for folder, _, files in os.walk(self.project.folder):
            for name in files:
                path = os.path.join(folder, name)
                if name.endswith(".zst"):
                    found += subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
                else:
                    with open(path, "rb") as file:
                        found += file.read()
        return found

    OAUTH = ", auth: {{type: oauth2_client_credentials, access_token_url: '{base}/token?for=run&uses=1', client_id: app, client_secret: '${{DB_PASSWORD}}'}}"

    def test_a_token_is_renewed_in_the_middle_and_no_secret_stays(self):
        self.define({"guarded": "{}"}, self.OAUTH)
        out = self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*), sum(id) FROM api.guarded"), [["5", "15"]])
        self.assertNotIn("canary", out)
        # What the server says in a body is kept as it came: /guarded says the token.
        self.assertNotIn(CANARY.encode(), self.everything())

    def test_a_wrong_secret_is_named_and_not_told(self):
        self.define({"guarded": "{}"}, self.OAUTH.replace("client_id: app", "client_id: nobody"))
        done = self.project.caudal("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no access token: the server answers 400", done.stdout + done.stderr)
        self.assertIn("check access_token_url, client_id and the secret behind client_secret", done.stdout + done.stderr)
        self.assertNotIn("canary", done.stdout + done.stderr)
        self.assertNotIn(CANARY.encode(), self.everything())

    def test_children_follow_their_parents(self):
        self.define({"shops": "{endpoint: {path: shops, params: {since: 1}}}",  # those with an id
                     "sales": "{include_from_parent: [id, town.name], endpoint: {path: 'shops/{resources.shops.id}/sales'}}",
                     "lines": "{primary_key: [sale, line], include_from_parent: [id], endpoint: {path: 'shops/{resources.sales.shop}/sales/{resources.sales.id}/lines'}}"})
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*), sum(id), min(_shops_town_name), count(DISTINCT _shops_id) FROM api.sales"),
                         [["12", str(sum(10 * s + k for s in (1, 2, 5, 6) for k in (1, 2, 3))), "town 1", "4"]])
        self.assertEqual(self.project.rows("SELECT count(*), count(DISTINCT _sales_id) FROM api.lines"), [["24", "12"]])
        # Made from its raw objects anew, the table has the parent's values again.
        self.project.ok("backfill", "api.sales", "--from-raw")
        self.assertEqual(self.project.rows("SELECT count(*), count(DISTINCT _shops_id) FROM api.sales"), [["12", "4"]])

    def test_a_stream_above_must_be_there(self):
        self.define({"sales": "{endpoint: {path: 'shops/{resources.shop.id}/sales'}}", "shops": "{}"})
        done = self.project.caudal("validate")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sources/api.yaml:5:3: error: the stream 'sales' takes values of 'shop', which is no stream of this source\n  next: did you mean 'shops'?",
                      done.stdout + done.stderr)

    def test_a_post_with_a_window_moves_its_cursor(self):
        self.define({"window": "{endpoint: {path: window, incremental: {cursor_path: updated_at, start_param: from, end_param: to, initial_value: '2026-01-02', lag: 1d}}}",
                     "search": "{endpoint: {path: search, json: {where: {status: paid}}, paginator: {type: offset, limit: 2, offset_body_path: page.offset}}}"})
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*) FROM api.window"), [["4"]])
        self.assertEqual(self.project.rows("SELECT count(*) FROM api.search"), [["5"]])
        self.project.ok("run")
        self.assertEqual(self.project.last_task("api.window")["rows_read"], 2)
        self.assertEqual(self.project.rows("SELECT count(*) FROM api.window"), [["4"]])

    def test_a_server_that_dies_and_returns(self):
        self.define({"pages": "{}"})
        self.project.ok("run")
        port = self.server.port
        self.server.close()
        done = self.project.caudal("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"http://127.0.0.1:{port}/pages", done.stdout + done.stderr)
        self.server = Server(port)
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*) FROM api.pages"), [["5"]])

    def test_a_run_that_is_killed_while_it_reads_is_repeated(self):
        self.define({"million": "{endpoint: {path: million, paginator: {type: page_number, maximum_page: 40}}}"}, ", requests_per_second: 20")
        run = self.project.begin("run")
        time.sleep(1.5)
        run.send_signal(signal.SIGKILL)
        run.wait(60)
        run.stdout.close()
        self.define({"million": "{endpoint: {path: million, paginator: {type: page_number, maximum_page: 40}}}"})
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*), count(DISTINCT id) FROM api.million"), [["82000", "82000"]])

    @unittest.skipIf(os.environ.get("CAUDAL_PRESET") in ("asan", "tsan"), "a sanitizer takes memory of its own")
    def test_a_million_rows_in_bounded_memory(self):
        self.define({"million": "{write_disposition: replace, endpoint: {path: million, paginator: {type: page_number}}}"})
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT count(*), count(DISTINCT id), sum(id) FROM api.million"), [["1000000", "1000000", "499999500000"]])
        peak = self.project.last_task("api.million")["peak_memory_bytes"]
        self.assertGreater(peak, 0)
        self.assertLessEqual(peak, 300_000_000)

    def test_what_is_wrong_is_named_where_it_stands(self):
        for words, message in (("{path: login}", "a web page instead of data, as for a login"), ("{path: one, data_selector: items}", "members at the top: data"),
                               ("{path: ignored, paginator: {type: page_number}}", "the same pages again and again"), ("{path: hop}", "private or local")):
            with self.subTest(words):
                self.define({"things": f"{{endpoint: {words}}}"})
                done = self.project.caudal("run")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(message, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
