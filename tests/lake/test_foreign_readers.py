"""Readers that are not ours open every version of our tables and find the rows that our worker finds.

delta-rs, hudi-rs, pyiceberg, and DuckDB's delta and iceberg extensions. The tables come from lake_test
(src/lake/foreign_life_test.cc). A foreign writer is refused.
"""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import unittest

try:
    import deltalake
    import duckdb
    import hudi
    import pyarrow
    import pyiceberg.table
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}; run `make setup`")

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))
TABLES = ["silver/types", "silver/parts", "silver/kinds", "silver/anew", "silver/kept"]
REJECTS = ["silver/parts__rejects"]  # in Delta alone
# What a reader gets wrong by itself (docs/formats/{hudi,iceberg}.md, "Readers").
HUDI_FAULTS = {"real"}
PYICEBERG_FAULTS = {"deep"}


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
        """Those that were not purged."""
        return sorted(int(name) for name in os.listdir(f"{self.folder}/expected/{table}"))

    def expected(self, table, version, columns):
        files = glob.glob(f"{self.folder}/expected/{table}/{version}/rows/*.parquet")
        if not files:
            return []
        relation = self.connection.read_parquet(files)
        return comparable(relation.project(", ".join('"' + name + '"' for name in columns)))

    def compare(self, reader, tables, faults=frozenset()):
        compared = 0
        for table in tables:
            self.assertGreater(len(self.versions(table)), 0, table)
            for version in self.versions(table):
                with self.subTest(table=table, version=version):
                    relation = reader(table, version)
                    columns = [name for name in relation.columns if name not in faults]
                    chosen = relation.project(", ".join('"' + name + '"' for name in columns))
                    self.assertEqual(comparable(chosen), self.expected(table, version, columns))
                    compared += 1
        return compared

    def extension(self, *names):
        for name in names:
            path = os.path.join(TOP, "third_party", "duckdb", "extensions", f"{name}.duckdb_extension")
            if not os.path.exists(path):
                self.skipTest(f"the {name} extension is not installed; run `make setup`")
            self.connection.execute(f"LOAD '{path}'")

    def log_entry(self, table, version):
        with open(f"{self.path(table)}/_delta_log/{version:020}.json", encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def column_names(self, table, version):
        """As the log has them at that version."""
        for at in range(version, -1, -1):
            for action in self.log_entry(table, at):
                if "metaData" in action:
                    return [field["name"] for field in json.loads(action["metaData"]["schemaString"])["fields"]]
        raise AssertionError(f"{table} has no metaData")

    def test_delta_rs(self):
        def read(table, version):
            seen = deltalake.DeltaTable(self.path(table), version=version)
            ours = seen.to_pyarrow_table() if "kinds" not in table else self.query_builder(seen)
            return self.connection.from_arrow(ours)

        self.assertGreater(self.compare(read, TABLES + REJECTS), 18)

    @staticmethod
    def query_builder(table):
        # deltalake's pyarrow reading fails on negative decimals in partition values; its own engine does not.
        from deltalake import QueryBuilder
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
        self.extension("delta")
        compared = self.compare(lambda table, version: self.connection.sql(
            f"SELECT * FROM delta_scan('{self.path(table)}', version := {version})"), TABLES + REJECTS)
        self.assertGreater(compared, 18)

    def test_hudi_rs(self):
        """Old instants come under the newest columns: those that a version did not have yet are NULL."""
        def read(table, version):
            instant = next(a["commitInfo"]["hudiInstant"] for a in self.log_entry(table, version) if "commitInfo" in a)
            seen = hudi.HudiTable(self.path(table))
            schema = seen.get_schema()
            known = [name for name in schema.names if not name.startswith("_hoodie_")]
            parts = []
            for batch in seen.read(hudi.HudiReadOptions().with_as_of_timestamp(instant)):
                part = pyarrow.Table.from_batches([batch])
                parts.append(part.select([name for name in part.column_names if name in known]))
            rows = pyarrow.concat_tables(parts, promote_options="permissive") if parts else schema.empty_table()
            columns = self.column_names(table, version)
            for name in rows.column_names:
                if name not in columns:
                    self.assertEqual(rows.column(name).null_count, len(rows), f"{name} did not exist yet")
            return self.connection.from_arrow(rows.select([name for name in rows.column_names if name in columns]))

        self.assertGreater(self.compare(read, TABLES, HUDI_FAULTS), 18)

    def iceberg(self, table):
        metadata = self.path(table) + "/metadata"
        with open(metadata + "/version-hint.text", encoding="utf-8") as hint:
            return pyiceberg.table.StaticTable.from_metadata(f"file://{metadata}/v{hint.read()}.metadata.json")

    def test_pyiceberg(self):
        def read(table, version):
            seen = self.iceberg(table)
            snapshot = next(s for s in seen.metadata.snapshots if s.summary["caudal.delta-version"] == str(version))
            return self.connection.from_arrow(seen.scan(snapshot_id=snapshot.snapshot_id).to_arrow())

        self.assertGreater(self.compare(read, TABLES, PYICEBERG_FAULTS), 18)

    def test_pyiceberg_prunes_without_losing_rows(self):
        seen = self.iceberg("silver/types")
        snapshot = next(s for s in seen.metadata.snapshots if s.summary["caudal.delta-version"] == "2")
        for column, value in (("id", 301), ("more", -301), ("day", "1969-06-16"), ("at", "2026-01-01T00:00:00.123757+00:00")):
            found = seen.scan(row_filter=f"{column} = {value!r}", snapshot_id=snapshot.snapshot_id).to_arrow()
            self.assertIn(301, found.column("id").to_pylist(), column)
        none = seen.scan(row_filter="id = 100000", snapshot_id=snapshot.snapshot_id)
        self.assertEqual(list(none.plan_files()), [], "bounds leave out every file")
        parts = self.iceberg("silver/parts").scan(row_filter="region = 'x/y'")
        files = [task.file.file_path for task in parts.plan_files()]
        self.assertGreater(len(files), 0)
        self.assertTrue(all("/region=x%2Fy/" in path for path in files), files)

    def test_pyiceberg_lists_what_each_version_changed(self):
        seen = self.iceberg("silver/parts")
        entries = seen.inspect.entries().to_pylist()
        self.assertGreater(len(entries), 10)
        self.assertEqual(seen.inspect.snapshots().num_rows, len(self.versions("silver/parts")))

    def test_duckdb_iceberg_extension(self):
        self.extension("avro", "iceberg")

        def read(table, version):
            snapshot = next(s for s in self.iceberg(table).metadata.snapshots
                            if s.summary["caudal.delta-version"] == str(version))
            return self.connection.sql(
                f"SELECT * FROM iceberg_scan('{self.path(table)}', snapshot_from_id := {snapshot.snapshot_id})")

        self.assertGreater(self.compare(read, TABLES), 18)

    def test_checkpoints_stand_for_the_log_before_them(self):
        """As if somebody had cleaned up the log: the JSON before the checkpoint, and its own, are gone."""
        self.extension("delta")
        copy = self.path("silver/kept") + "_short"
        shutil.copytree(self.path("silver/kept"), copy)
        self.addCleanup(shutil.rmtree, copy)
        with open(copy + "/_delta_log/_last_checkpoint", encoding="utf-8") as last:
            checkpoint = json.load(last)["version"]
        for name in os.listdir(copy + "/_delta_log"):
            if name.endswith(".json") and int(name[:20]) <= checkpoint:
                os.remove(f"{copy}/_delta_log/{name}")
        for version in [v for v in self.versions("silver/kept") if v >= checkpoint]:
            columns = self.column_names("silver/kept", version)
            quoted = [f'"{name}"' for name in columns]
            expected = self.expected("silver/kept", version, columns)
            rows = self.connection.from_arrow(deltalake.DeltaTable(copy, version=version).to_pyarrow_table())
            self.assertEqual(comparable(rows.project(", ".join(quoted))), expected, version)
            rows = self.connection.sql(f"SELECT {', '.join(quoted)} FROM delta_scan('{copy}', version := {version})")
            self.assertEqual(comparable(rows), expected, version)

    def test_savepoints_are_tags_of_iceberg(self):
        seen = self.iceberg("silver/kept")
        snapshot = seen.snapshot_by_name("loaded")
        self.assertEqual(snapshot.summary["caudal.delta-version"], "6")
        rows = self.connection.from_arrow(seen.scan(snapshot_id=snapshot.snapshot_id).to_arrow())
        self.assertEqual(comparable(rows), self.expected("silver/kept", 6, rows.columns))

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
