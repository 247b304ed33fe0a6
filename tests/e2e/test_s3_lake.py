"""The example shop with `lake: s3://...` as the only change: the same commands, the same rows as on a folder; a worker that
reads holds no key."""
import os
import re
import sys
import unittest

import example_shop as ex
import shop_project as sp

sys.path.insert(0, os.path.join(sp.TOP, "tests", "servers"))
import s3  # noqa: E402
import tls_proxy  # noqa: E402


class S3Shop(ex.ExampleShop):
    def __init__(self, stage, server, prefix):
        super().__init__(stage)
        self.server = server
        with open(self.path("caudal.yaml"), encoding="utf-8") as f:
            text = f.read()
        changed = text.replace("lake: lake\n", f"lake: s3://lake/{prefix}\n")
        assert changed != text
        self.write("caudal.yaml", changed)
        if server.name == "moto":
            server.believe(prefix)

    def caudal(self, *words, prefix=(), env=None, timeout=600):
        return super().caudal(*words, prefix=prefix, env={**self.server.environment, **(env or {})}, timeout=timeout)


class OnAServer:
    NAME = ""
    ACTS = ex.ACTS

    @classmethod
    def setUpClass(cls):
        if why := s3.reason(cls.NAME):
            raise unittest.SkipTest(why)
        cls.server = s3.server(cls.NAME)
        cls.stage = ex.Stage()

    @classmethod
    def tearDownClass(cls):
        cls.stage.close()
        cls.server.close()

    def play(self, shop, act):
        shop.begin(act)
        words = act.words
        if "{run}" in words:
            words = [shop.json("history")["runs"][0]["run"] if w == "{run}" else w for w in words]
        done = shop.caudal(*words)
        self.assertEqual(done.returncode, act.code, f"{act.name}: {done.stdout}\n{done.stderr}")

    def test_the_shops_days_give_the_same_rows(self):
        local, remote = ex.ExampleShop(self.stage), S3Shop(self.stage, self.server, "shop one/days")
        self.addCleanup(local.remove)
        self.addCleanup(remote.remove)
        for act in self.ACTS:
            for shop in (local, remote):
                self.play(shop, act)
            expected, got = local.prints(), remote.prints()
            self.assertEqual(expected, got, act.name + "\n" + local.difference(remote, expected, got))
        self.assertFalse(os.path.exists(remote.path("lake")), "nothing of the lake lies in the project")
        keys = self.server.keys("shop one/days/")
        self.assertTrue(any(key.startswith("shop one/days/raw/") for key in keys))
        self.assertTrue(any("/_delta_log/" in key for key in keys))
        self.assertFalse([key for key in keys if key.endswith((".intent.json", ".lake.lock"))], "a run leaves no lock and no intent")
        # What is asked of the lake beside rows.
        remote.ok("doctor", "--deep")
        remote.ok("show")
        remote.ok("show", "stores.lines", "--rejects")
        self.assertIn("gold.daily_sales", remote.ok("history", "gold.daily_sales"))
        self.assertRegex(remote.ok("why", "silver.lines", "--where", "invoice_no = '536365'"), r"2010-12-01\.csv")
        before = remote.prints()
        remote.ok("rollback", "gold.daily_sales", "--to", "0")
        remote.ok("run", "daily")
        self.assertEqual(before["gold.daily_sales"], remote.prints()["gold.daily_sales"])
        remote.ok("backfill", "stores.lines", "--from-raw")
        self.assertEqual(before["stores.lines"], remote.prints()["stores.lines"])

    def test_no_key_and_no_signature_shows(self):
        shop = S3Shop(self.stage, self.server, "secrets")
        self.addCleanup(shop.remove)
        self.play(shop, ex.ACTS[0])
        key = next(k for k in self.server.keys("secrets/gold/daily_sales/") if k.endswith(".parquet"))
        s3.urllib.request.urlopen(s3.signed("DELETE", self.server.endpoint, "/lake/" + key)).close()
        done = shop.caudal("sql", "SELECT sum(revenue) FROM gold.daily_sales")
        self.assertNotEqual(done.returncode, 0)
        said = done.stdout + done.stderr
        for folder, _, files in os.walk(shop.path(".caudal")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    said += f.read().decode("latin-1")
        self.assertNotIn(s3.SECRET, said)
        self.assertIsNone(re.search(r"X-Amz-(Signature|Credential)", said), said[-3000:])

    def test_over_tls_and_nowhere_else(self):
        if tls_proxy.REASON:
            self.skipTest(tls_proxy.REASON)
        proxy = tls_proxy.TlsProxy(self.server.port)
        self.addCleanup(proxy.close)
        shop = S3Shop(self.stage, self.server, "tls")
        self.addCleanup(shop.remove)
        env = {"AWS_ENDPOINT_URL": proxy.endpoint, "AWS_CA_BUNDLE": proxy.authority}
        if self.NAME == "moto":
            self.server.believe("tls", proxy.endpoint)
        shop.begin(ex.ACTS[0])
        stranger = shop.caudal("plan", env={"AWS_ENDPOINT_URL": proxy.endpoint})
        self.assertNotEqual(stranger.returncode, 0)
        self.assertIn("certificate is not trusted", stranger.stderr)
        shop.ok("run", "daily", env=env)
        self.assertEqual(shop.ok("sql", "SELECT count(*) FROM gold.daily_sales", "--output", "csv", env=env).split()[-1], "56")
        # A query reaches what it was given: not an object that is there, not the same server by another road.
        key = next(k for k in self.server.keys("tls/gold/daily_sales/") if k.endswith(".parquet"))
        for url in (f"{proxy.endpoint}/lake/{key}", f"{self.server.endpoint}/lake/{key}", f"s3://lake/{key}"):
            done = shop.caudal("sql", f"SELECT count(*) FROM gold.daily_sales, read_parquet('{url}')", env=env)
            self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_what_is_wrong_is_said(self):
        shop = S3Shop(self.stage, self.server, "wrong")
        self.addCleanup(shop.remove)
        down = shop.caudal("plan", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
        self.assertEqual(down.returncode, 5, down.stdout + down.stderr)
        self.assertIn("cannot be reached", down.stderr)
        keys = shop.caudal("plan", env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nonexistent"})
        self.assertIn("there are no AWS keys", keys.stderr)
        self.assertIn("AWS_ACCESS_KEY_ID", keys.stderr)
        other = shop.caudal("doctor", "--store", "s3://there-is-none/x")
        self.assertIn("there is no bucket there-is-none", other.stderr)
        if self.NAME != "moto":
            self.assertIn("exactly one did", shop.ok("doctor", "--store", "s3://lake/elsewhere"))


class OnMoto(OnAServer, unittest.TestCase):
    NAME = "moto"
    ACTS = ex.ACTS[:2]  # S3Proxy, which looks at signatures, sees all five


class OnS3Proxy(OnAServer, unittest.TestCase):
    NAME = "s3proxy"


class OnVersitygw(unittest.TestCase):
    def test_a_store_that_is_not_atomic_is_refused(self):
        if why := s3.reason("versitygw"):
            self.skipTest(why)
        server = s3.server("versitygw")
        self.addCleanup(server.close)
        stage = ex.Stage()
        self.addCleanup(stage.close)
        shop = S3Shop(stage, server, "shop")
        self.addCleanup(shop.remove)
        shop.begin(ex.ACTS[0])
        for words in (["run", "daily"], ["doctor", "--store", "s3://lake/shop"], ["run", "daily"]):
            done = shop.caudal(*words)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn("is not atomic", done.stderr, words)
            self.assertIn("caudal doctor --store s3://lake/shop", done.stderr, words)
        self.assertEqual([k for k in server.keys() if "_delta_log" in k], [], "nothing was committed there")


if __name__ == "__main__":
    unittest.main()
