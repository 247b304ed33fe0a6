#!/usr/bin/env python3
"""S3 servers for tests, each on a free port of 127.0.0.1 with a bucket `lake`: moto (PyPI), S3Proxy (Maven), versitygw (Go).

`server(name)` gives a started one; `reason(name)` says why there is none, and fetches what it can into build/servers: moto
and S3Proxy when they are first wanted, versitygw (two minutes of compiling) only by `tests/servers/s3.py --fetch versitygw`.
As a program without --fetch it starts NAME, prints the variables to export, and serves until its standard input ends."""
import datetime
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import packages  # noqa: E402
from packages import CACHE  # noqa: E402

NAMES = ("moto", "s3proxy", "versitygw")
ID, SECRET = "test", "testsecret"

S3PROXY_JAR = os.path.join(CACHE, "s3proxy-4.0.0-jar-with-dependencies.jar")
S3PROXY_SHA256 = "8842c29ef4cf50c2488cff1da23df3428526c10905998384586e916cc98a2c67"
VERSITYGW = os.path.join(CACHE, "bin", "versitygw")
MOTO = packages.program("moto", "moto_server")


def _fetch_s3proxy():
    if not shutil.which("java"):
        return "S3Proxy needs java"
    if os.path.exists(S3PROXY_JAR):
        return ""
    if not shutil.which("mvn"):
        return "S3Proxy needs mvn, which fetches it"
    folder = tempfile.mkdtemp(dir=CACHE)
    try:
        why = packages.run(["mvn", "-q", "-ntp", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                    "-Dartifact=org.gaul:s3proxy:4.0.0:jar:jar-with-dependencies", "-DoutputDirectory=" + folder], 600)
        if why:
            return "S3Proxy cannot be fetched from Maven: " + why
        jar = os.path.join(folder, os.path.basename(S3PROXY_JAR))
        with open(jar, "rb") as f:
            found = hashlib.file_digest(f, "sha256").hexdigest()
        if found != S3PROXY_SHA256:
            return f"S3Proxy has another hash than the one pinned: {found}"
        os.replace(jar, S3PROXY_JAR)
        return ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch_versitygw(build):
    if os.path.exists(VERSITYGW):
        return ""
    if not build:
        return "versitygw is not built: tests/servers/s3.py --fetch versitygw"
    if not shutil.which("go"):
        return "versitygw needs go, which builds it"
    why = packages.run(["go", "install", "github.com/versity/versitygw/cmd/versitygw@v1.7.0"], 1800,
               env={**os.environ, "GOBIN": os.path.dirname(VERSITYGW)})
    return "versitygw cannot be built: " + why if why else ""


def reason(name, build=False):
    if name == "moto":
        return packages.fetch(name)
    with packages.locked(name):
        return _fetch_s3proxy() if name == "s3proxy" else _fetch_versitygw(build)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def signed(method, endpoint, path, query=(), headers=(), body=b"", keys=(ID, SECRET), region="us-east-1"):
    """A request signed by SigV4, written from AWS's pages without a look at ours."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    canonical_query = "&".join(sorted(f"{quote(k)}={quote(v)}" for k, v in query))
    canonical_path = urllib.parse.quote(path, safe="/-_.~")
    digest = hashlib.sha256(body).hexdigest()
    signed_headers = {"host": endpoint.split("://")[1], "x-amz-date": now, "x-amz-content-sha256": digest, **dict(headers)}
    names = ";".join(sorted(signed_headers))
    canonical = "\n".join([method, canonical_path, canonical_query,
                           "".join(f"{k}:{v}\n" for k, v in sorted(signed_headers.items())), names, digest])
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + keys[1]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    signed_headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope},SignedHeaders={names},Signature={signature}"
    url = endpoint + canonical_path + ("?" + canonical_query if canonical_query else "")
    # Not urllib's own type: moto takes that for a form, and the object is empty.
    return urllib.request.Request(url, data=body if method in ("PUT", "POST") else None, method=method,
                                  headers={"content-type": "application/octet-stream", **signed_headers})


class Server:
    """`endpoint`, `environment` (what a user would export) and `log`; stops with close()."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix=f"caudal-{name}-")
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = os.path.join(self.folder, "log")
        self.start()

    @property
    def environment(self):
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": ID,
                "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}

    def _command(self):
        if self.name == "moto":
            return [MOTO, "-H", "127.0.0.1", "-p", str(self.port)], {}
        if self.name == "s3proxy":
            configuration = os.path.join(self.folder, "s3proxy.conf")
            with open(configuration, "w", encoding="ascii") as f:
                f.write(f"s3proxy.endpoint={self.endpoint}\ns3proxy.authorization=aws-v4\ns3proxy.identity={ID}\n"
                        f"s3proxy.credential={SECRET}\njclouds.provider=transient-nio2\njclouds.identity=x\njclouds.credential=x\n")
            return ["java", "-Xmx512m", "-jar", S3PROXY_JAR, "--properties", configuration], {}
        for folder in ("data", "versions", "iam"):
            os.makedirs(os.path.join(self.folder, folder), exist_ok=True)
        at = lambda folder: os.path.join(self.folder, folder)
        return ([VERSITYGW, "--port", f"127.0.0.1:{self.port}", "--iam-dir", at("iam"), "posix", "--versioning-dir", at("versions"),
                 at("data")], {"ROOT_ACCESS_KEY": ID, "ROOT_SECRET_KEY": SECRET})

    def start(self):
        words, environment = self._command()
        self.out = open(self.log, "ab")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT,
                                        env={**os.environ, **environment})
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(signed("PUT", self.endpoint, "/lake"), timeout=5):
                    return
            except (OSError, urllib.error.URLError) as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.close()
                    raise RuntimeError(f"{self.name} does not serve: {error}") from error
                time.sleep(0.05)

    def believe(self, prefix, endpoint=None):
        """Notes that conditional writes below `prefix` are atomic, so that nobody races there: moto's are but nearly."""
        verdict = json.dumps({"atomic": True, "endpoint": endpoint or self.endpoint}).encode()
        path = f"/lake/{prefix}/_caudal/store.json"
        urllib.request.urlopen(signed("PUT", self.endpoint, path, (), {"content-type": "application/json"}, verdict), timeout=30).close()

    def versioned(self):
        """From now on the bucket keeps old versions."""
        body = b"<VersioningConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Status>Enabled</Status></VersioningConfiguration>"
        urllib.request.urlopen(signed("PUT", self.endpoint, "/lake", [("versioning", "")], {"content-type": "application/xml"}, body), timeout=30).close()

    def keys(self, prefix="", bucket="lake"):
        """Every key below `prefix`."""
        import xml.etree.ElementTree as tree
        found, token = [], ""
        while True:
            query = [("list-type", "2"), ("prefix", prefix)] + ([("continuation-token", token)] if token else [])
            with urllib.request.urlopen(signed("GET", self.endpoint, f"/{bucket}", query), timeout=30) as reply:
                root = tree.fromstring(reply.read())
            local = lambda node: node.tag.rsplit("}", 1)[-1]
            for node in root:
                if local(node) == "Contents":
                    found += [child.text for child in node if local(child) == "Key"]
            token = next((node.text for node in root if local(node) == "NextContinuationToken"), "")
            if not token:
                return found

    def get(self, key, bucket="lake"):
        with urllib.request.urlopen(signed("GET", self.endpoint, f"/{bucket}/{key}"), timeout=30) as reply:
            return reply.read()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def server(name):
    return Server(name)


def main():
    if sys.argv[1:2] == ["--fetch"]:
        failed = [why for why in (reason(name, build=True) for name in sys.argv[2:] or NAMES) if why]
        sys.exit("\n".join(failed) or 0)
    name = sys.argv[1] if len(sys.argv) > 1 else "moto"
    if name not in NAMES:
        sys.exit("use one of: " + ", ".join(NAMES))
    if why := reason(name):
        sys.exit(why)
    running = server(name)
    try:
        print("\n".join(f"export {k}={v}" for k, v in running.environment.items()), flush=True)
        sys.stdin.read()
    finally:
        running.close()


if __name__ == "__main__":
    main()
