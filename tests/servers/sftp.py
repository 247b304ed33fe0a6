#!/usr/bin/env python3
"""A real OpenSSH server for tests: its own host key, configuration and folder, on a free port of 127.0.0.1, as a user that is
not root (a server of root would want an account of the system for each who logs in).

As a program it prints `<port> <user> <folder>` and serves until its standard input ends; `folder` holds user_key, other_key,
locked_key (with a passphrase), known_hosts and the files of the server in files/. A line `stop`, `start`, `rekey` on standard
input is done and answered by the same word. `REASON` says why there is none."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import unprivileged  # noqa: E402

SSHD = next((p for p in ("/usr/sbin/sshd", shutil.which("sshd")) if p and os.path.exists(p)), None)
USER = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
REASON = ("OpenSSH's server is not installed (Debian: openssh-server)" if SSHD is None
          else "ssh-keygen is not installed (Debian: openssh-client)" if shutil.which("ssh-keygen") is None
          else f"there is no user {USER} that the server could run as" if unprivileged.words_as(USER) is None else "")


def _family(pid):
    """The process and all below it."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = [int(word) for word in f.read().split()]
    except OSError:
        children = []
    return [pid] + [one for child in children for one in _family(child)]


class Server:
    """Files lie in `files`; who logs in is `user` with the key `user_key`. stop(), start() and rekey() are its bad days."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="caudal-sftp-")
        self.files = os.path.join(self.folder, "files")
        self.user = USER
        self.process = None
        os.mkdir(self.files)
        os.chmod(self.folder, 0o755)
        for name, phrase in (("user_key", ""), ("other_key", ""), ("locked_key", "open sesame")):
            self.keygen(name, phrase)
        with open(self.path("authorized"), "w", encoding="ascii") as out:
            for name in ("user_key", "locked_key"):
                with open(self.path(name + ".pub"), encoding="ascii") as key:
                    out.write(key.read())
        self.rekey(restart=False)
        self.port = unprivileged.free_port()
        self.own()
        self.start()
        self.write_known_hosts()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def own(self):
        """The server's user owns what it serves and its host key; the client's keys stay ours."""
        if os.geteuid() == 0:
            for path in [self.path("host_key"), self.path("authorized"), self.files] + [
                    os.path.join(d, n) for d, folders, names in os.walk(self.files) for n in folders + names]:
                shutil.chown(path, USER)

    def keygen(self, name, phrase=""):
        for path in (self.path(name), self.path(name + ".pub")):
            if os.path.exists(path):
                os.remove(path)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-C", name, "-f", self.path(name)], check=True, timeout=60,
                       stdin=subprocess.DEVNULL)

    def rekey(self, restart=True):
        """Another host key, as of another machine."""
        self.keygen("host_key")
        self.fingerprint = subprocess.run(["ssh-keygen", "-l", "-f", self.path("host_key.pub")], check=True, text=True, capture_output=True,
                                          timeout=60).stdout.split()[1]
        if restart:
            self.own()
            self.stop()
            self.start()

    def write_known_hosts(self):
        with open(self.path("host_key.pub"), encoding="ascii") as key, open(self.path("known_hosts"), "w", encoding="ascii") as out:
            out.write(f"[127.0.0.1]:{self.port} {' '.join(key.read().split()[:2])}\n")

    def start(self):
        with open(self.path("sshd_config"), "w", encoding="ascii") as f:
            # PAM, since a user without root's rights cannot look into the shadow file, and would take every account for locked.
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.path('host_key')}\nPidFile none\nStrictModes no\nUsePAM yes\n"
                    f"AuthorizedKeysFile {self.path('authorized')}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                    f"AuthenticationMethods publickey\nMaxStartups 100\nPrintMotd no\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\n")
        self.log = open(self.path("log"), "ab")
        self.process = subprocess.Popen([*unprivileged.words_as(USER), SSHD, "-D", "-e", "-f", f.name], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, cwd="/")
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    if s.recv(4) == b"SSH-":
                        return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.path("log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("sshd does not serve: " + log.read()[-500:])
            time.sleep(0.05)

    def stop(self):
        """The server and every session of it are gone at once."""
        if self.process is None:
            return
        for pid in _family(self.process.pid):  # a session is a process in a group of its own
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None
        self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    if REASON:
        sys.exit(REASON)
    server = Server()
    try:
        print(server.port, server.user, server.folder, flush=True)
        for line in sys.stdin:
            {"stop": server.stop, "start": server.start, "rekey": server.rekey, "own": server.own}[line.strip()]()
            print(line.strip(), server.fingerprint, flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
