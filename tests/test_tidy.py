"""tests/tidy on this tree, a test for each rule; and on a tree that breaks every rule, so that each is known to find something."""
import importlib.machinery
import importlib.util
import os
import shutil
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("tidy", os.path.join(HERE, "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

ROOMS = """set(CAUDAL_ROOMS base store lake app)
set(CAUDAL_DEPS_base)
set(CAUDAL_DEPS_store base)
set(CAUDAL_DEPS_lake store base)
set(CAUDAL_DEPS_app lake store base)
"""
GOOD = {
    "cmake/rooms.cmake": ROOMS,
    "CMakeLists.txt": "room(base)\nroom(store)\nroom(lake)\nroom(app)\n",
    "src/base/error.h": "#pragma once\n#include <string>\n",
    "src/store/folder.h": '#pragma once\n#include "base/error.h"\n',
    "src/lake/table.cc": '#include <sys/stat.h>\n#include <unistd.h>\n#include "store/folder.h"\n',
    "src/app/main.cc": "int main() {}\n",
    "docs/page.md": "[rooms](../cmake/rooms.cmake)\n",
}
# rule: [(file, its content, a word of the finding)]
BAD = {
    "room_edges": [("src/store/a.cc", '#include "lake/table.h"\n', "banned in store"),
                   ("src/store/a.cc", '#include "folder.h"\n', '"store/folder.h"'),
                   ("src/store/a.cc", '#include "zoo/folder.h"\n', "no room")],
    "room_order": [("cmake/rooms.cmake", ROOMS.replace("DEPS_base", "DEPS_base store"), "base -> store"),
                   ("CMakeLists.txt", "room(base)\nroom(store)\nroom(lake)\n", "room(app"),
                   ("src/zoo/a.cc", "\n", "src/zoo")],
    "parent_includes": [("src/lake/a.cc", '#include "../store/folder.h"\n', "..")],
    "third_party_headers": [("src/lake/a.cc", '#include "duckdb.h"\n', "engine job"),
                            ("src/lake/a.cc", "#include <sqlite3.h>\n", "state"),
                            ("src/lake/a.cc", "#include <gtest/gtest.h>\n", "_test.cc"),
                            ("src/lake/a.cc", "#include <boost/asio.hpp>\n", "serve/http_server.h"),
                            ("src/lake/a.cc", "#include <absl/strings/str_cat.h>\n", "THIRD_PARTY"),
                            ("src/lake/a.h", '#pragma once\n#include "base/json.h"\n', "json_fwd")],
    "file_names": [("src/lake/string_util.cc", "\n", "util"), ("src/lake/helpers.h", "#pragma once\n", "helpers")],
    "header_guards": [("src/lake/a.h", "#ifndef A\n#endif\n", "#pragma once")],
    "connectors": [("src/connect/builtin/ftp.cc", "void Register_ftp(Registry&) {}\n", "ftp_test.cc"),
                   ("src/connect/builtin/ftp.cc", "void Register_ftp(Registry&) {}\n", "docs/connectors/ftp.md"),
                   ("src/connect/builtin/ftp.cc", "\n", "Register_ftp")],
    "dead_files": [("src/lake/a.h", "#pragma once\n", "nobody includes"), ("src/lake/main.cc", "\n", "main.cc"),
                   ("src/lake/a_fuzz.cc", "\n", "fuzzer"), ("bench/a.cc", "\n", "nobody compiles")],
    "long_files": [("src/lake/a.cc", "\n" * 501, "501 lines")],
    "machine_paths": [("docs/page.md", "see /home/" + "ann/caudal\n", "inside the repository")],
    "dead_links": [("docs/page.md", "[x](nowhere.md)\n", "nowhere.md")],
    "stale_picture": [("cmake/rooms.cmake", ROOMS.replace("DEPS_lake store base", "DEPS_lake base"), "--write")],
}


class ThisTree(unittest.TestCase):
    maxDiff = None


class EachRuleFinds(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="caudal-tidy-")
        self.addCleanup(shutil.rmtree, self.root)
        for path, content in GOOD.items():
            self.write(path, content)
        self.write("ARCHITECTURE.md", tidy.picture(tidy.Tree(self.root)) + "\n")

    def write(self, path, content):
        os.makedirs(os.path.dirname(os.path.join(self.root, path)), exist_ok=True)
        with open(os.path.join(self.root, path), "w") as f:
            f.write(content)

    def test_nothing_in_a_good_tree(self):
        self.assertEqual([f for rule in tidy.RULES for f in rule(tidy.Tree(self.root))], [])

    def test_every_rule_has_a_bad_tree(self):
        self.assertEqual(sorted(BAD), sorted(rule.__name__ for rule in tidy.RULES))


def on_this_tree(rule):
    def test(self):
        findings = list(rule(tidy.Tree(os.path.dirname(HERE))))
        self.assertFalse(findings, "\n" + "\n".join(findings))
    return test


def on_a_bad_tree(rule, path, content, word):
    def test(self):
        self.write(path, content)
        findings = list(rule(tidy.Tree(self.root)))
        self.assertTrue(any(word in f and "banned" in f for f in findings), findings)
    return test


for rule in tidy.RULES:
    setattr(ThisTree, f"test_{rule.__name__}", on_this_tree(rule))
    for i, case in enumerate(BAD[rule.__name__]):
        setattr(EachRuleFinds, f"test_{rule.__name__}_{i + 1}", on_a_bad_tree(rule, *case))

if __name__ == "__main__":
    unittest.main()
