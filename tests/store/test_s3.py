"""store/s3 on real servers: the conformance suite of every store, what is S3's own, and races for a table's version."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers"))
import s3  # noqa: E402

BUILD = os.path.dirname(os.environ.get("CAUDAL_BINARY", "build/dev/caudal"))


def run_cases(server, program, pattern, **more):
    """The GoogleTest cases of `pattern` against `server`: name -> output of what failed, or None."""
    done = subprocess.run([os.path.join(BUILD, program), f"--gtest_filter={pattern}"], capture_output=True, text=True, timeout=1700,
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
        for program in ("store_test", "lake_test"):
            if not os.path.exists(os.path.join(BUILD, program)):
                raise unittest.SkipTest(f"{program} is not built beside the executable under test")
        if why := s3.reason(cls.NAME):
            raise unittest.SkipTest(why)
        cls.server = s3.server(cls.NAME)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def check(self, program, pattern, least):
        cases, done = run_cases(self.server, program, pattern)
        for name, output in cases.items():
            with self.subTest(name):
                self.assertIsNone(output, output)
        self.assertGreaterEqual(len(cases), least, done.stdout[-2000:] + done.stderr[-2000:])
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])

    def test_conformance(self):
        self.check("store_test", "Stores/StoreConformance.*" + ("" if self.RACES else "-*RacesHaveOneWinner*"), 9)

    def test_what_is_of_s3_alone(self):
        self.check("store_test", "Servers/S3Server.*", 6)

    def test_writers_race_for_a_version(self):
        """32 of them, CAUDAL_S3_ROUNDS times (1)."""
        if self.RACES:
            self.check("lake_test", "Servers/S3Race.Every*", 2)

    def test_the_store_is_atomic_or_refused(self):
        if self.NAME != "moto":
            self.check("lake_test", "Servers/S3Race.TheStoreIsAtomicOrRefused*", 1)


class OnMoto(OnAServer, unittest.TestCase):
    NAME = "moto"
    RACES = False  # two of 32 win about once in a hundred rounds

    def test_a_versioned_bucket(self):
        plain, type(self).server = self.server, s3.server(self.NAME)
        try:
            self.server.versioned()
            self.check("store_test", "Stores/StoreConformance.*:Servers/S3Server.*-*RacesHaveOneWinner*", 15)
        finally:
            self.server.close()
            type(self).server = plain


class OnS3Proxy(OnAServer, unittest.TestCase):
    NAME = "s3proxy"


class OnVersitygw(OnAServer, unittest.TestCase):
    NAME = "versitygw"
    RACES = False



if __name__ == "__main__":
    unittest.main()
