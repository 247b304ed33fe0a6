#!/usr/bin/env python3
"""A real MariaDB server for tests: its own data in a temporary folder, on a free port of 127.0.0.1, as a user that is not root
(mariadbd refuses root).

As a program it prints `<port> <password>` and serves until its standard input ends. `REASON` says why there is none."""
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client_session  # noqa: E402
import unprivileged  # noqa: E402

PROGRAM = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
USER = "nobody"
REASON = ("MariaDB is not installed (Debian: mariadb-server-core)" if PROGRAM is None or shutil.which("mariadb-install-db") is None
          else f"there is no user {USER}, and mariadbd refuses root" if unprivileged.words_as(USER) is None
          else "its client is not installed (Debian: mariadb-client-core)" if shutil.which("mariadb") is None else "")


class Server:
    """User `root` with `password`; stops with close()."""

    def __init__(self, settings=()):
        self.folder = tempfile.mkdtemp(prefix="caudal-mariadb-")
        self.password = secrets.token_hex(8)
        self.settings = list(settings)
        self.as_user = unprivileged.words_as(USER)
        if self.as_user:
            shutil.chown(self.folder, USER)
        self._run("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal", "--skip-test-db")
        self.port = unprivileged.free_port()
        self.process = None
        self.start()
        try:
            self._client(f"ALTER USER root@'127.0.0.1' IDENTIFIED BY '{self.password}', root@localhost IDENTIFIED BY '{self.password}'",
                         ["-S", self.socket, "-u", "root"], "")
        except RuntimeError:
            self.close()
            raise

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    @property
    def socket(self):
        return os.path.join(self.folder, "socket")

    def _run(self, *words):
        done = subprocess.run([*self.as_user, *words], cwd=self.folder, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
                              env={**os.environ, "HOME": self.folder})
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stdout}\n{done.stderr}")

    def start(self):
        words = [PROGRAM, "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                 "--skip-name-resolve", "--general-log=1", f"--general-log-file={self.folder}/queries", "--innodb-flush-log-at-trx-commit=0",
                 "--innodb-buffer-pool-size=64M", *[f"--{setting}" for setting in self.settings]]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([*self.as_user, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "HOME": self.folder})
        limit = time.monotonic() + 60
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > limit:
                with open(log.name, encoding="utf-8", errors="replace") as f:
                    raise RuntimeError("mariadbd does not start: " + f.read()[-2000:])
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def log(self):
        """Every statement that came."""
        with open(os.path.join(self.folder, "queries"), encoding="utf-8", errors="replace") as f:
            return f.read()

    @staticmethod
    def _client(text, words, password):
        done = subprocess.run(["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-BN", *words], input=text, text=True, capture_output=True,
                              timeout=300, env={**os.environ, "MYSQL_PWD": password})
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip("\n")

    def words(self, database, user="root"):
        """How a client reaches it; the password is for MYSQL_PWD."""
        return ["-h", "127.0.0.1", "-P", str(self.port), "-u", user, *([database] if database else [])]

    def sql(self, text, database=""):
        """Runs statements; gives their rows as lines of values between tabs."""
        return self._client(text, self.words(database), self.password)

    def session(self, database=""):
        return client_session.ClientSession(["mariadb", "--no-defaults", "-BNn", *self.words(database)], {"MYSQL_PWD": self.password},
                                            f"SELECT '{client_session.END}';")

    def close(self):
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    if REASON:
        sys.exit(REASON)
    server = Server()
    try:
        print(server.port, server.password, flush=True)
        sys.stdin.read()
    finally:
        server.close()


if __name__ == "__main__":
    main()
