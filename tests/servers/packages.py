"""Python programs for tests, each list of packages in an environment of its own below build/servers, fetched when it is first
wanted. A list is `<name>.txt` beside this file: every package pinned by hash."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(TOP, "build", "servers")


def run(words, timeout, **more):
    """Why it failed; "" where it did not."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, **more)
    except subprocess.TimeoutExpired:
        return f"{words[0]} did not end within {timeout} s"
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:].replace("\n", " ")


def locked(name):
    """Suites run beside each other: `with locked(NAME):` around what one of them fetches."""
    os.makedirs(CACHE, exist_ok=True)
    lock = open(os.path.join(CACHE, name + ".lock"), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def program(name, command):
    return os.path.join(CACHE, name, "bin", command)


def fetch(name):
    """Why the packages of the list are not there; "" where they are."""
    listing = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".txt")
    with open(listing, "rb") as f:
        wanted = hashlib.sha256(f.read()).hexdigest()
    folder, stamp = os.path.join(CACHE, name), os.path.join(CACHE, name, "list.sha256")
    with locked(name):
        if os.path.exists(stamp):
            with open(stamp, encoding="ascii") as f:
                if f.read() == wanted:
                    return ""
        shutil.rmtree(folder, ignore_errors=True)
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
        why = run([python, "-m", "venv", folder], 120) or run(
            [os.path.join(folder, "bin", "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input",
             "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", listing], 600)
        if why:
            shutil.rmtree(folder, ignore_errors=True)
            return f"{name} cannot be installed: {why}"
        with open(stamp, "w", encoding="ascii") as f:
            f.write(wanted)
        return ""
