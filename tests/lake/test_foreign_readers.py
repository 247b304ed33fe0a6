"""Readers that are not ours open every version of our tables and find the rows that our worker finds.

delta-rs (deltalake) and DuckDB's delta extension. The tables come from lake_test (src/lake/foreign_life_test.cc).
A foreign writer is refused.
"""
import glob
import os
import shutil
import subprocess
import tempfile
import unittest

try:
    import deltalake
    import duckdb
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}; run `make setup`")

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))
TABLES = ["silver/types", "silver/parts", "silver/parts__rejects", "silver/kinds"]


def comparable(relation):
    """Rows of a relation as sorted text; maps as sorted lists of pairs."""
    columns = []
    for name, kind in zip(relation.columns, relation.types):
        quoted = '"' + name.replace('"', '""') + '"'
        value = f"list_sort(map_entries({quoted}))" if str(kind).startswith("MAP") else quoted
        columns.append(f"CAST({value} AS VARCHAR) AS {quoted}")
    rows = relation.project(", ".join(columns)).fetchall()
    return sorted(repr(row) for row in rows)


class ForeignReaders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = os.path.join(os.path.dirname(BINARY), "lake_test")
        if not os.access(BINARY, os.X_OK) or not os.access(program, os.X_OK):
            raise unittest.SkipTest(f"{BINARY} and lake_test are not built")
        cls.folder = tempfile.mkdtemp(prefix="foreign")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        done = subprocess.run(
            [program, "--gtest_filter=ForeignLife.*"],
            env={**os.environ, "CAUDAL_BINARY": BINARY, "CAUDAL_FOREIGN_FOLDER": cls.folder},
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout[-4000:] + done.stderr[-2000:])
        cls.connection = duckdb.connect()
        cls.connection.execute("SET TimeZone = 'UTC'")

    def path(self, table):
        return f"{self.folder}/lake/{table}"

    def versions(self, table):
        return len(glob.glob(glob.escape(self.path(table)) + "/_delta_log/*.json"))

    def expected(self, table, version, columns):
        files = glob.glob(f"{self.folder}/expected/{table}/{version}/rows/*.parquet")
        if not files:
            return []
        relation = self.connection.read_parquet(files)
        return comparable(relation.project(", ".join('"' + name + '"' for name in columns)))

    def compare(self, reader):
        compared = 0
        for table in TABLES:
            self.assertGreater(self.versions(table), 0, table)
            for version in range(self.versions(table)):
                with self.subTest(table=table, version=version):
                    relation = reader(table, version)
                    self.assertEqual(comparable(relation), self.expected(table, version, relation.columns))
                    compared += 1
        self.assertGreater(compared, 15)

    def test_delta_rs(self):
        def read(table, version):
            seen = deltalake.DeltaTable(self.path(table), version=version)
            ours = seen.to_pyarrow_table() if "kinds" not in table else self.query_builder(seen)
            return self.connection.from_arrow(ours)

        self.compare(read)

    @staticmethod
    def query_builder(table):
        # deltalake's pyarrow reading fails on negative decimals in partition values; its own engine does not.
        from deltalake import QueryBuilder
        import pyarrow
        batches = QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all()
        return pyarrow.table(batches)

    def test_delta_rs_prunes_without_losing_rows(self):
        seen = deltalake.DeltaTable(self.path("silver/types"), version=2)
        whole = self.connection.from_arrow(seen.to_pyarrow_table())
        import pyarrow.dataset as dataset
        for column in ("id", "at", "most", "text", "day", "more"):
            value = whole.filter("id = 301").project(f'"{column}"').to_arrow_table()[0][0]
            filtered = seen.to_pyarrow_dataset().to_table(filter=dataset.field(column) == value)
            same = whole.filter(f'"{column}" = (SELECT "{column}" FROM whole WHERE id = 301)').aggregate("count(*)").fetchone()[0]
            self.assertEqual(filtered.num_rows, same, column)
            self.assertGreater(filtered.num_rows, 0, column)

    def test_duckdb_delta_extension(self):
        extension = os.path.join(TOP, "third_party", "duckdb", "extensions", "delta.duckdb_extension")
        if not os.path.exists(extension):
            self.skipTest("the delta extension is not installed; run `make setup`")
        self.connection.execute(f"LOAD '{extension}'")
        self.compare(lambda table, version: self.connection.sql(
            f"SELECT * FROM delta_scan('{self.path(table)}', version := {version})"))

    def test_a_foreign_writer_is_refused(self):
        path = self.path("silver/parts")
        before = sorted(glob.glob(path + "/**", recursive=True))
        table = deltalake.DeltaTable(path)
        data = table.to_pyarrow_table()
        for attempt in (lambda: deltalake.write_deltalake(path, data, mode="append"),
                        lambda: table.delete("id = 1"),
                        lambda: table.optimize.compact(),
                        lambda: table.vacuum(dry_run=False, retention_hours=0, enforce_retention_duration=False)):
            with self.assertRaises(Exception) as refused:
                attempt()
            self.assertIn("caudal.multiFormat", str(refused.exception))
        self.assertEqual(sorted(glob.glob(path + "/**", recursive=True)), before)


if __name__ == "__main__":
    unittest.main()
