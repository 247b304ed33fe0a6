#!/usr/bin/env python3
"""A real PostgreSQL server for tests: its own cluster in a temporary folder, on a free port of 127.0.0.1, as a user that is
not root (initdb refuses root).

As a program it prints `<port> <password>` and serves until its standard input ends. `REASON` says why there is none."""
import glob
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client_session  # noqa: E402
import unprivileged  # noqa: E402


def _programs():
    """The folder of the newest initdb."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    found.sort(key=lambda path: int(re.search(r"/(\d+)/", path)[1]))
    on_path = shutil.which("initdb")
    return os.path.dirname(found[-1] if found else on_path) if found or on_path else None


PROGRAMS = _programs()
REASON = ("PostgreSQL is not installed (Debian: postgresql-15)" if PROGRAMS is None
          else "there is no user postgres, and initdb refuses root" if unprivileged.words_as("postgres") is None
          else "psql is not installed" if shutil.which("psql") is None else "")


class Server:
    """Superuser `postgres` with `password`; stops with close()."""

    def __init__(self, settings=()):
        self.folder = tempfile.mkdtemp(prefix="caudal-postgres-")
        self.password = secrets.token_hex(8)
        self.settings = list(settings)
        self.as_user = unprivileged.words_as("postgres")
        if self.as_user:
            shutil.chown(self.folder, "postgres")
        with open(os.path.join(self.folder, "password"), "w", encoding="utf-8") as f:
            f.write(self.password)
        os.chmod(f.name, 0o600)
        if self.as_user:
            shutil.chown(f.name, "postgres")
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={f.name}", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")
        self.port = unprivileged.free_port()
        self.start()

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    def _run(self, program, *words):
        done = subprocess.run([*self.as_user, os.path.join(PROGRAMS, program), *words], cwd=self.folder, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120, env={**os.environ, "HOME": self.folder})
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}\n{done.stderr}")

    def start(self):
        options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "fsync=off", "max_prepared_transactions=5",
                   "log_statement=all", *self.settings]
        # The log goes to a file: a server that holds our pipe would keep us waiting.
        self._run("pg_ctl", "-D", self.data, "-l", os.path.join(self.folder, "log"), "-w", "-t", "60",
                  "-o", f"-p {self.port} " + " ".join(f"-c {option}" for option in options), "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def session(self, database="postgres", user="postgres", password=None):
        return client_session.ClientSession(["psql", *psql_words(self, database, user)], {"PGPASSWORD": password or self.password},
                                            f"\\echo {client_session.END}")

    def sql(self, text, database="postgres"):
        """Runs statements; gives the rows of the last one as lines of values between |."""
        done = subprocess.run(["psql", *psql_words(self, database, "postgres")], input=text, text=True, capture_output=True, timeout=300,
                              env={**os.environ, "PGPASSWORD": self.password})
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def close(self):
        try:
            self.stop("immediate")
        except (RuntimeError, subprocess.TimeoutExpired):
            pass
        shutil.rmtree(self.folder, ignore_errors=True)


def psql_words(server, database, user):
    return ["-h", "127.0.0.1", "-p", str(server.port), "-U", user, "-d", database, "-v", "ON_ERROR_STOP=1", "-XqAt"]


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
