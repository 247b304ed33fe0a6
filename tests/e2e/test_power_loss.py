"""The power fails: what was not synced is gone. A simulated disk, made of the system calls of a real run, gives what would be
left after each of them; the next run must end in the same tables, and what a run had reported must be there."""
import codecs
import os
import random
import re
import shutil
import unittest

import shop_project as sp

CALLS = "openat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,write"
POINTS = int(os.environ.get("CAUDAL_POWER_LOSSES", "6"))
SEED = int(os.environ.get("CAUDAL_SEED", "7"))


def calls_of(trace):
    """(thread, name, arguments, result) of each call that succeeded, in the order in which they ended."""
    begun = {}
    for line in trace:
        thread, text = line.rstrip("\n").split(None, 1)
        if text.endswith("<unfinished ...>"):
            begun[thread] = text[:-len("<unfinished ...>")].rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
        if resumed:
            text = begun.pop(thread, "") + resumed[1]
        found = re.match(r"(\w+)\((.*)\)\s+= (\d+.*)$", text)
        if found:
            yield thread, found[1], found[2], found[3]


class Disk:
    """Names and contents of a folder, as programs see them and as they would be after a power loss."""

    def __init__(self, root, names):
        self.root = root
        self.names, self.kept = dict(names), dict(names)  # path -> content id, or None for a folder: now, and on the disk
        self.synced = {content for content in names.values() if content}
        self.anonymous, self.made = {}, 0
        self.bytes = {}  # content id -> what was written, for files that somebody deletes before the run ends

    def new(self):
        self.made += 1
        return f"new:{self.made}"

    def apply(self, thread, name, arguments, result):
        """True where it changed what a power loss would leave, or what a program would see."""
        if name == "write":
            self.write(arguments)
            return False
        paths = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
        if name == "openat":
            opened = re.match(r"(\d+)<(.*)>", result)
            if not opened:
                return False
            path = opened[2]
            if "O_TMPFILE" in arguments:
                self.anonymous[thread, opened[1]] = self.names.setdefault("anonymous:" + path.replace(" (deleted)", ""), self.new())
            elif "O_CREAT" in arguments and path not in self.names:
                self.names[path] = self.new()
            else:
                return False
        elif name in ("fsync", "fdatasync"):
            path = self.path_of(arguments)
            if path not in self.names:
                return False
            if self.names[path] is not None:
                self.synced.add(self.names[path])
            else:
                below = {p: c for p, c in self.names.items() if os.path.dirname(p) == path}
                self.kept = {p: c for p, c in self.kept.items() if os.path.dirname(p) != path} | below
        elif name in ("link", "linkat"):
            source = re.match(r"/proc/self/fd/(\d+)$", paths[0])
            content = self.anonymous[thread, source[1]] if source else self.names.get(paths[0])
            self.names[paths[1]] = content
        elif name.startswith("rename"):
            if paths[0] not in self.names:
                return False
            self.names[paths[1]] = self.names.pop(paths[0])
        elif name.startswith("unlink"):
            return self.names.pop(paths[0], self) is not self
        elif name.startswith("mkdir"):
            self.names[paths[0]] = None
        return any(p.startswith(self.root) for p in paths) or self.root in arguments or self.root in result

    def path_of(self, arguments):
        """Of the open file that is the first argument."""
        path = re.match(r"\d+<(.*?)>", arguments)[1].replace(" (deleted)", "")
        return "anonymous:" + path if "anonymous:" + path in self.names else path

    def write(self, arguments):
        text = re.search(r', "((?:[^"\\]|\\.)*)"(\.\.\.)?, \d+$', arguments)
        content = self.names.get(self.path_of(arguments))
        if content and text and not text[2]:
            self.bytes[content] = self.bytes.get(content, b"") + codecs.escape_decode(text[1].encode("latin-1"))[0]

    def build(self, target, contents, names):
        """Makes what is left: names whose folders are all there, contents that were synced."""
        for path in sorted(names):
            if not path.startswith(self.root) or not all(up in names for up in parents(path, self.root)):
                continue
            to = target + path[len(self.root):]
            content = names[path]
            if content is None:
                os.makedirs(to, exist_ok=True)
            elif content in self.synced and content in contents:
                shutil.copy(contents[content], to)
            else:
                with open(to, "wb") as out:
                    out.write(self.bytes.get(content, b"") if content in self.synced else b"")


def listing(folder, root):
    """What lies in `folder`, under the names that it has below `root`."""
    names = {}
    for at, _, files in os.walk(folder):
        names[root + at[len(folder):]] = None
        for name in files:
            below = os.path.join(at, name)[len(folder):]
            names[root + below] = "before:" + below[1:]
    return names


def parents(path, root):
    while path != root:
        path = os.path.dirname(path)
        yield path


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class PowerLoss(unittest.TestCase):
    def setUp(self):
        self.shop = sp.day_one()
        self.addCleanup(self.shop.remove)
        sp.day_two(self.shop)
        self.before = self.shop.copy()
        self.addCleanup(self.before.remove)

    def traced_run(self):
        trace = self.shop.path("trace")
        self.shop.ok("run", "daily", prefix=["strace", "-f", "-y", "-s", "65536", "-o", trace, "-e", f"trace={CALLS}"])
        with open(trace, encoding="utf-8", errors="replace") as f:
            calls = list(calls_of(f))
        root = os.path.realpath(self.shop.path("lake"))
        self.after = self.shop.copy()
        self.addCleanup(self.after.remove)
        return Disk(root, listing(self.before.path("lake"), root)), calls

    def contents(self, disk):
        """Content id -> a file with it: of the copy before the run, or of the one after it."""
        found = {c: os.path.join(self.before.path("lake"), c[len("before:"):]) for c in disk.synced if c.startswith("before:")}
        for path, content in disk.names.items():
            left = self.after.path("lake") + path[len(disk.root):]
            if content and content.startswith("new:") and os.path.isfile(left):
                found[content] = left
        return found

    def leave(self, disk, calls, names_survive, contents):
        for call in calls:
            disk.apply(*call)
        for name in ("lake", ".caudal"):
            shutil.rmtree(self.shop.path(name))
        shutil.copytree(self.before.path(".caudal"), self.shop.path(".caudal"))
        os.makedirs(self.shop.path("lake"))
        disk.build(self.shop.path("lake"), contents, disk.names if names_survive else disk.kept)

    def test_whatever_call_is_the_last(self):
        moving, calls = self.traced_run()
        at_start = dict(moving.names)
        expected = self.shop.dump()
        steps, commits = [], []
        for i, call in enumerate(calls):
            if moving.apply(*call):
                steps.append(i + 1)
                if call[1].startswith("link") and re.search(r"_delta_log/\d{20}\.json", call[2]):
                    commits.append(i + 1)
        contents = self.contents(moving)
        self.assertGreaterEqual(len(commits), 5, "the run commits")

        # The run has told that it succeeded: everything that it published is on the disk.
        self.leave(Disk(moving.root, at_start), calls, False, contents)
        self.assertEqual(sp.difference(expected, self.shop.dump()), "")
        self.assertEqual(self.shop.caudal("doctor").returncode, 0, self.shop.caudal("doctor").stdout)

        chosen = random.Random(SEED)
        around = {step + shift for step in chosen.sample(commits, min(POINTS // 3, len(commits))) for shift in (-1, 0, 1)}
        points = sorted(around | set(chosen.sample(steps, POINTS)))
        for step in points:
            for names_survive in (False, True):
                with self.subTest(seed=SEED, call=step, of=len(calls), names_survive=names_survive):
                    self.leave(Disk(moving.root, at_start), calls[:step], names_survive, contents)
                    self.shop.ok("run", "daily")
                    self.assertEqual(sp.difference(expected, self.shop.dump()), "")
                    doctor = self.shop.caudal("doctor", "--deep")
                    self.assertEqual(doctor.returncode, 0, doctor.stdout + doctor.stderr)


if __name__ == "__main__":
    unittest.main()
