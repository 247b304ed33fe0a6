"""Alerts of a real daemon to real servers: HTTP with signatures, SMTP with TLS and a login; down, refused, slow."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers"))
import daemon_process as dp  # noqa: E402
import webhook_server  # noqa: E402

SERVERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers")
SECRET = "whsec_" + base64.b64encode(b"a key that only two know").decode()
GO = {"go": "run: drops.sales\n", "daily": "after: go\nowner: sales\n", "report": "after: daily\n"}
CONFIG = """
alerts:
  channels:
    hook: {type: webhook, url: "URL/hook", secret: ${HOOK_SECRET}, pause: 0s}
    dead: {type: webhook, url: "http://127.0.0.1:9/none", pause: 0s}
    chat: {type: slack, url: ${CHAT_URL}, pause: 0s}
    team: {type: teams, url: ${TEAM_URL}, pause: 0s}
  rules:
    - {to: [hook, dead]}
    - {on: [failed], owners: [sales], to: [chat]}
    - {on: [failed], owners: [nobody], to: [team]}
"""


class AlertsTest(unittest.TestCase):
    def setUp(self):
        self.server = webhook_server.WebhookServer()
        self.addCleanup(self.server.close)
        self.env = {"HOOK_SECRET": SECRET, "CHAT_URL": self.server.url + "/chat/T0/secret", "TEAM_URL": self.server.url + "/team"}

    def project(self, pipelines, config=None):
        folder = tempfile.mkdtemp(prefix="caudal-alerts-")
        self.addCleanup(shutil.rmtree, folder, True)
        return dp.Project(folder, pipelines, config=(config or CONFIG).replace("URL/hook", self.server.url + "/hook"))

    def serve(self, project):
        daemon = dp.Daemon(project, env=self.env)
        self.addCleanup(daemon.stop)
        daemon.wait("daemon.started")
        return daemon

    def hook(self, word, count=1):
        """The count-th alert with that word which the hook took."""
        def of(alerts):
            return [a for a in alerts if word in a["words"]]
        self.wait(lambda: len(of(self.server.alerts("/hook"))) >= count, word)
        return of(self.server.alerts("/hook"))[count - 1]

    def wait(self, condition, what):
        until = time.monotonic() + 90
        while not condition():
            if time.monotonic() > until:
                self.fail(f"never came: {what}; there is {self.server.posts}")
            time.sleep(0.05)

    def test_failed_says_what_since_when_what_waits_and_what_to_type_then_recovered(self):
        project = self.project(GO)
        project.write("models/gold/checked.sql", "/* caudal:\ncolumns: {amount: {checks: [{max: 50}]}}\n*/\nSELECT * EXCLUDE (_source_file, _source_row) FROM drops.sales\n")
        project.write("models/gold/below.sql", "SELECT count(*) AS n FROM gold.checked\n")
        project.write("in/two.csv", "id,amount\n3,90\n")
        daemon = self.serve(project)
        self.assertEqual(project.caudal("run", "go", env=self.env).returncode, 0)
        alert = self.hook("failed")
        run = daemon.wait("run.failed", pipeline="daily")["run"]
        self.assertEqual((alert["pipeline"], alert["run"], alert["project"]), ("daily", run, "small"))
        self.assertIn("checks_failed", alert["words"], "one message for one run")
        self.assertEqual(alert["title"], "small: pipeline daily failed")
        self.assertTrue(any(f.startswith("gold.checked: ") for f in alert["facts"]), alert)
        self.assertEqual(alert["blocks"], ["gold.below", "pipeline report"])
        self.assertEqual(alert["type"], f"caudal retry {run} --project {project.folder}")
        self.assertIsNotNone(alert["since"])
        # Signed as the standard says.
        path, headers, body = next(p for p in self.server.posts if p[0] == "/hook")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(b"a key that only two know", signed, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], expected)
        self.assertNotIn(b"whsec_", body)
        # The owner's chat was told, the other owner's was not, and a dead channel stopped nothing and leaks nothing.
        self.wait(lambda: any(p[0].startswith("/chat") for p in self.server.posts), "chat")
        chat = json.loads(next(p[2] for p in self.server.posts if p[0].startswith("/chat")))
        self.assertIn("pipeline daily failed", chat["text"])
        self.assertFalse([p for p in self.server.posts if p[0] == "/team"])
        daemon.wait("alert.failed", channel="dead")
        # Again by the same mistake: told no more within `repeat`. Mended: well again.
        self.assertEqual(project.caudal("run", "go", env=self.env).returncode, 0)
        daemon.wait("run.failed", 2, pipeline="daily")
        project.write("models/gold/checked.sql", "/* caudal:\ncolumns: {amount: {checks: [{max: 99}]}}\n*/\nSELECT * EXCLUDE (_source_file, _source_row) FROM drops.sales\n")
        daemon.wait("project.loaded")
        self.assertEqual(project.caudal("run", "go", env=self.env).returncode, 0)
        well = self.hook("recovered")
        self.assertIn("it had failed 2 times", well["facts"])
        self.assertEqual(len([a for a in self.server.alerts("/hook") if "failed" in a["words"]]), 1)
        daemon.wait("run.succeeded", pipeline="report")
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("secret", json.dumps(daemon.lines))

    def test_what_could_not_be_sent_is_sent_later_also_by_the_next_daemon_and_once(self):
        project = self.project({"daily": "schedule: \"0 3 * * *\"\n"})
        daemon = self.serve(project)
        self.server.answer = 500
        good = "SELECT count(*) AS n, sum(amount) AS amount FROM drops.sales\n"
        project.write("models/gold/total.sql", "SELECT count(*) AS n FROM drops.nothing\n")
        daemon.wait("project.broken")
        daemon.wait("alert.failed", channel="hook")
        project.write("models/gold/total.sql", good)
        daemon.wait("project.loaded")
        daemon.kill()
        self.server.answer = 200
        daemon = self.serve(project)
        self.hook("project", 2)
        titles = [a["title"] for a in self.server.alerts("/hook")]
        self.assertEqual(titles, ["small: the project has mistakes, the last good one goes on", "small: the project is without mistakes again"])
        self.assertEqual(daemon.stop(), 0)
        daemon = self.serve(project)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(self.server.alerts("/hook")), 2)

    def test_test_sends_now_and_a_missing_secret_is_named(self):
        project = self.project({"daily": "schedule: \"0 3 * * *\"\n"})
        done = project.caudal("alerts", "test", "hook", env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.alerts()[0]["words"], ["test"])
        self.assertEqual(project.caudal("alerts", "test", "team", env=self.env).returncode, 0)
        card = json.loads(self.server.posts[-1][2])
        self.assertEqual(card["attachments"][0]["content"]["type"], "AdaptiveCard")
        for words, code, says in ((("hoook",), 3, "there is hook"), (("dead",), 5, "channel dead"), (("chat",), 3, "${CHAT_URL}")):
            done = project.caudal("alerts", "test", *words, env={**self.env, "CHAT_URL": ""})
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)


class MailTest(unittest.TestCase):
    def start(self, *words):
        server = subprocess.Popen(["/usr/bin/python3", os.path.join(SERVERS, "smtp_server.py"), *words], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, server)
        return server, int(server.stdout.readline())

    def end(self, server):
        server.stdin.close()
        server.wait(20)
        server.stdout.close()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caudal-mail-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", self.folder + "/key.pem", "-out", self.folder + "/cert.pem"],
                       check=True, capture_output=True)

    def send(self, words, config, code=0, says=""):
        server, port = self.start(*words)
        folder = tempfile.mkdtemp(prefix="caudal-mail-")
        self.addCleanup(shutil.rmtree, folder, True)
        project = dp.Project(folder, {}, config="alerts:\n  channels:\n    mail: {type: smtp, host: localhost, port: %d, from: caudal@example.com, "
                                                "to: [ops@example.com, boss@example.com], %s}\n" % (port, config))
        done = project.caudal("alerts", "test", "mail", env={"MAIL_PASSWORD": "open sesame"})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertNotIn("sesame", done.stdout + done.stderr)
        if code != 0:
            self.assertIn(says, done.stderr)
            return None
        return json.loads(server.stdout.readline())

    def test_starttls_and_a_login(self):
        mail = self.send(["--starttls", self.folder, "--login", "ali:open sesame"],
                         f"tls: starttls, user: ali, password: ${{MAIL_PASSWORD}}, ca_file: {self.folder}/cert.pem")
        self.assertEqual((mail["from"], mail["to"], mail["tls"], mail["user"]), ("caudal@example.com", ["ops@example.com", "boss@example.com"], True, "ali"))
        message = email.message_from_string(mail["data"], policy=email.policy.default)
        self.assertEqual(message["Subject"], "small: a test of channel mail")
        self.assertIn("nothing happened", message.get_content())
        self.assertFalse(message.defects)

    def test_tls_from_the_first_byte(self):
        self.assertTrue(self.send(["--tls", self.folder], f"tls: tls, ca_file: {self.folder}/cert.pem"))

    def test_without_tls_where_that_is_said(self):
        self.assertFalse(self.send([], "tls: none")["tls"])

    def test_what_is_not_safe_or_not_right_is_refused(self):
        self.send([], "tls: starttls", 4, "STARTTLS")
        self.send(["--tls", self.folder], "tls: tls", 4, "certificate")
        self.send(["--starttls", self.folder, "--login", "ali:another"],
                  f"tls: starttls, user: ali, password: ${{MAIL_PASSWORD}}, ca_file: {self.folder}/cert.pem", 4, "login")


if __name__ == "__main__":
    unittest.main()
