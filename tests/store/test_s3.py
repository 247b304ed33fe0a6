"""store/s3 on real servers: the conformance suite of every store, and what is S3's own."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers"))
import s3  # noqa: E402

STORE_TEST = os.path.join(os.path.dirname(os.environ.get("CAUDAL_BINARY", "build/dev/caudal")), "store_test")


def run_cases(server, pattern, **more):
    """The GoogleTest cases of `pattern` against `server`: name -> output of what failed, or None."""
    done = subprocess.run([STORE_TEST, f"--gtest_filter={pattern}"], capture_output=True, text=True, timeout=900,
                          env={**os.environ, **server.environment, "CAUDAL_S3_SERVER": server.name, **more})
    cases, start = {}, 0
    for mark in re.finditer(r"\[( RUN      |       OK |  FAILED  )\] ([\w/]+\.[\w/]+)", done.stdout):
        if mark[1].strip() == "RUN":
            start = mark.end()
        elif mark[2] not in cases:
            cases[mark[2]] = None if mark[1].strip() == "OK" else done.stdout[start:mark.start()]
    return cases, done


class OnAServer:
    NAME = ""
    RACES = True  # its conditional puts are atomic

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(STORE_TEST):
            raise unittest.SkipTest("store_test is not built beside the executable under test")
        if why := s3.reason(cls.NAME):
            raise unittest.SkipTest(why)
        cls.server = s3.server(cls.NAME)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def check(self, pattern, least):
        cases, done = run_cases(self.server, pattern)
        for name, output in cases.items():
            with self.subTest(name):
                self.assertIsNone(output, output)
        self.assertGreaterEqual(len(cases), least, done.stdout[-2000:] + done.stderr[-2000:])
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])

    def test_conformance(self):
        self.check("Stores/StoreConformance.*" + ("" if self.RACES else "-*RacesHaveOneWinner*"), 9)

    def test_what_is_of_s3_alone(self):
        self.check("Servers/S3Server.*", 6)


class OnMoto(OnAServer, unittest.TestCase):
    NAME = "moto"


class OnS3Proxy(OnAServer, unittest.TestCase):
    NAME = "s3proxy"


class OnVersitygw(OnAServer, unittest.TestCase):
    NAME = "versitygw"
    RACES = False



if __name__ == "__main__":
    unittest.main()
