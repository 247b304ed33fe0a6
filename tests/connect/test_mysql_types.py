"""The mapping of docs/connectors/mysql.md: each type of a real MariaDB server, with values at its edges, read in each way."""
import os
import shutil
import unittest

from server_cases import TypeCases
import mariadb
from test_mysql import MysqlTest

# name, type of the server, value, what it is in the lake: type and text
TYPES = [
    ("tinyint", "tinyint", "-128", "TINYINT", "-128"),
    ("tinyint(1)", "tinyint(1)", "2", "TINYINT", "2"),
    ("tinyint unsigned", "tinyint unsigned", "255", "SMALLINT", "255"),
    ("smallint", "smallint", "-32768", "SMALLINT", "-32768"),
    ("smallint unsigned", "smallint unsigned", "65535", "INTEGER", "65535"),
    ("mediumint", "mediumint", "-8388608", "INTEGER", "-8388608"),
    ("mediumint unsigned", "mediumint unsigned", "16777215", "INTEGER", "16777215"),
    ("int", "int", "-2147483648", "INTEGER", "-2147483648"),
    ("int unsigned", "int(3) unsigned zerofill", "4294967295", "BIGINT", "4294967295"),
    ("bigint", "bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("bigint unsigned", "bigint unsigned", "18446744073709551615", "DECIMAL(20,0)", "18446744073709551615"),
    ("bit(1)", "bit(1)", "b'1'", "BOOLEAN", "true"),
    ("bit(10)", "bit(10)", "b'1000000001'", "BIGINT", "513"),
    ("bit(64)", "bit(64)", "18446744073709551615", "DECIMAL(20,0)", "18446744073709551615"),
    ("year", "year", "2155", "SMALLINT", "2155"),
    ("year zero", "year", "0000", "SMALLINT", "0"),
    ("float", "float", "1.17549435e-38", "FLOAT", "1.1754944e-38"),
    ("double", "double", "0.1", "DOUBLE", "0.1"),
    ("double of all digits", "double", "1.7976931348623157e308", "DOUBLE", "1.7976931348623157e+308"),
    ("decimal(10,0)", "decimal(10,0)", "-9999999999", "DECIMAL(10,0)", "-9999999999"),
    ("decimal(10,2) unsigned", "decimal(10,2) unsigned", "99999999.99", "DECIMAL(10,2)", "99999999.99"),
    ("decimal(38,10)", "decimal(38,10)", "1234567890123456789012345678.0123456789", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
    ("decimal(65,30)", "decimal(65,30)", "-12345678901234567890123456789012345.012345678901234567890123456789", "VARCHAR",
     "-12345678901234567890123456789012345.012345678901234567890123456789"),
    ("date", "date", "'2026-02-28'", "DATE", "2026-02-28"),
    ("date first", "date", "'1000-01-01'", "DATE", "1000-01-01"),
    ("date last", "date", "'9999-12-31'", "DATE", "9999-12-31"),
    ("datetime", "datetime", "'2026-03-29 02:30:00'", "TIMESTAMP WITH TIME ZONE", "2026-03-29 02:30:00+00"),
    ("datetime(6)", "datetime(6)", "'9999-12-31 23:59:59.999999'", "TIMESTAMP WITH TIME ZONE", "9999-12-31 23:59:59.999999+00"),
    ("datetime(3)", "datetime(3)", "'2026-01-01 00:00:00.120'", "TIMESTAMP WITH TIME ZONE", "2026-01-01 00:00:00.12+00"),
    # The writer's session is five hours behind UTC.
    ("timestamp", "timestamp NULL", "'2026-01-01 10:00:00'", "TIMESTAMP WITH TIME ZONE", "2026-01-01 15:00:00+00"),
    ("timestamp(6)", "timestamp(6) NULL", "'2026-07-01 10:00:00.123456'", "TIMESTAMP WITH TIME ZONE", "2026-07-01 15:00:00.123456+00"),
    ("time", "time", "'-838:59:59'", "VARCHAR", "-838:59:59"),
    ("time zero", "time", "'00:00:00'", "VARCHAR", "00:00:00"),
    ("time(6)", "time(6)", "'00:00:00.5'", "VARCHAR", "00:00:00.500000"),
    ("char", "char(5)", "'ab '", "VARCHAR", "ab"),
    ("varchar", "varchar(10)", "'abc '", "VARCHAR", "abc "),
    ("varchar empty", "varchar(10)", "''", "VARCHAR", ""),
    ("varchar latin1", "varchar(20) CHARACTER SET latin1", "_latin1 X'e4f6fc80'", "VARCHAR", "äöü€"),
    ("varchar cp1251", "varchar(20) CHARACTER SET cp1251", "_cp1251 X'cfeef7f2e0'", "VARCHAR", "Почта"),
    ("varchar ucs2", "varchar(20) CHARACTER SET ucs2", "_ucs2 X'00e420ac'", "VARCHAR", "ä€"),
    ("varchar utf8mb3", "varchar(20) CHARACTER SET utf8mb3", "'ä€'", "VARCHAR", "ä€"),
    ("text utf8mb3", "text CHARACTER SET utf8mb3", "repeat('€', 20000)", "VARCHAR", "€" * 20000),
    ("longtext utf8mb3", "longtext CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", "repeat('€', 30000)", "VARCHAR", "€" * 30000),
    ("ascii", "char(3) CHARACTER SET ascii", "'abc'", "VARCHAR", "abc"),
    ("varchar utf8mb4", "varchar(20) CHARACTER SET utf8mb4", "'ä€𝄞 \\n \"q\"'", "VARCHAR", "ä€𝄞 \n \"q\""),
    ("varchar utf8mb4_bin", "varchar(20) COLLATE utf8mb4_bin", "'ä€𝄞'", "VARCHAR", "ä€𝄞"),
    ("text with NUL", "text CHARACTER SET utf8mb4", "concat('a', char(0), 'b')", "VARCHAR", "a\0b"),
    ("text", "text CHARACTER SET utf8mb4", "repeat('ä', 30000)", "VARCHAR", "ä" * 30000),
    ("text latin1", "text CHARACTER SET latin1", "repeat('ä', 60000)", "VARCHAR", "ä" * 60000),
    ("tinytext", "tinytext", "'ä'", "VARCHAR", "ä"),
    ("mediumtext", "mediumtext CHARACTER SET utf8mb4", "repeat('ä', 50000)", "VARCHAR", "ä" * 50000),
    ("longtext", "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "repeat('€', 50000)", "VARCHAR", "€" * 50000),
    ("enum", "enum('a', 'ö')", "'ö'", "VARCHAR", "ö"),
    ("set", "set('x', 'y', 'z')", "'x,z'", "VARCHAR", "x,z"),
    ("json", "json", "'{\"a\":  [1, null], \"b\": \"ä\"}'", "VARCHAR", '{"a":  [1, null], "b": "ä"}'),
    ("binary(16)", "binary(16)", "X'00ff41'", "BLOB", "\\x00\\xFFA" + "\\x00" * 13),
    ("varbinary", "varbinary(10)", "X'0001ff41'", "BLOB", "\\x00\\x01\\xFFA"),
    ("tinyblob", "tinyblob", "X'ff'", "BLOB", "\\xFF"),
    ("blob", "blob", "X'ff00'", "BLOB", "\\xFF\\x00"),
    ("blob of ascii", "blob", "'a\\\\x41'", "BLOB", "a\\x5Cx41"),
    ("mediumblob", "mediumblob", "X'ff00'", "BLOB", "\\xFF\\x00"),
    ("longblob", "longblob", "X'ff00'", "BLOB", "\\xFF\\x00"),
    ("uuid", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "VARCHAR", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("inet4", "inet4", "'10.0.0.1'", "VARCHAR", "10.0.0.1"),
    ("inet6", "inet6", "'::1'", "VARCHAR", "::1"),
    ("point", "point", "ST_GeomFromText('POINT(1 2)')", "BLOB", "\\x00\\x00\\x00\\x00\\x01\\x01\\x00\\x00\\x00" + "\\x00" * 6 + "\\xF0?" + "\\x00" * 7 + "@"),
]
READINGS = {"full": "{write_disposition: replace, table: %s}",
            "incremental": "{write_disposition: merge, primary_key: id, table: %s, incremental: {cursor: id, initial_value: 0, lag: 0}}"}
LENIENT = "SET sql_mode = ''; "


@unittest.skipIf(mariadb.REASON, mariadb.REASON)
class Types(TypeCases, MysqlTest):
    types = TYPES
    readings = READINGS

    def test_each_type_with_its_value_and_null(self):
        self.assert_each_type_with_its_value_and_null()

    def test_zero_dates_reject_their_rows_and_no_other(self):
        self.sql(LENIENT + """CREATE TABLE odd (id int PRIMARY KEY, d date, m datetime, s timestamp NULL, b blob, f float, x decimal(38,2), w text);
            INSERT INTO odd VALUES (1, '2026-01-01', '2026-01-01 10:00:00.5', '2026-01-01', X'00ff', 0.1, 1.25, 'ä'), (2, '0000-00-00', NULL, NULL, NULL, NULL, NULL, NULL),
            (3, '2026-02-00', NULL, NULL, NULL, NULL, NULL, NULL), (4, NULL, '0000-00-00', NULL, NULL, NULL, NULL, NULL), (5, NULL, NULL, 0, NULL, NULL, NULL, NULL), (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
        first = ["1", "2026-01-01", "2026-01-01 10:00:00+00", "2026-01-01 05:00:00+00", "\\x00\\xFF", "0.1", "1.25", "ä"]
        empty = [""] * 7
        for name, zero, ids in (("rejected", "reject", "16"), ("nulls", "as_null", "123456")):
            for kind, reading in (("whole", "{write_disposition: replace, table: odd}"),
                                  ("merged", "{write_disposition: merge, primary_key: id, table: odd, incremental: {cursor: id, lag: 0}}")):
                with self.subTest(zero_dates=zero, reading=kind):
                    table = f"{name}_{kind}"
                    self.project.source(self.server, {table: reading}, zero_dates=zero)
                    self.project.ok("run")
                    expected = [first] + [[id, *empty] for id in ids[1:]]
                    self.assertEqual(self.project.rows(f"SELECT id, d, m, s, b, f, x, w FROM shop.{table} ORDER BY id"), expected)
                    if zero == "reject":
                        rejects = self.project.rows(f"SELECT _column, _value FROM shop.{table}__rejects ORDER BY ALL")
                        self.assertEqual(rejects, [["d", "0000-00-00"], ["d", "2026-02-00"], ["m", "0000-00-00 00:00:00"], ["s", "0000-00-00 00:00:00"]])

    def test_bytes_that_are_no_text_reject_their_row(self):
        folder = os.path.join(self.server.data, "shop")
        for charset in ("utf8mb4", "utf8mb3", "ascii"):
            # No statement writes them; the definition of a MyISAM table is a file that can be exchanged.
            letters = {"utf8mb4": 12, "utf8mb3": 16, "ascii": 48}[charset]
            self.sql(f"""CREATE TABLE bad_{charset} (id int PRIMARY KEY, w varchar(48) CHARACTER SET latin1 NOT NULL) ENGINE=MyISAM;
                INSERT INTO bad_{charset} VALUES (1, 'good'), (2, _latin1 X'61ff62'), (3, 'fine');
                CREATE TABLE other_{charset} (id int PRIMARY KEY, w varchar({letters}) CHARACTER SET {charset} NOT NULL) ENGINE=MyISAM; FLUSH TABLES""")
            shutil.copyfile(os.path.join(folder, f"other_{charset}.frm"), os.path.join(folder, f"bad_{charset}.frm"))
            self.sql("FLUSH TABLES")
            self.assertEqual(self.sql(f"SELECT hex(w) FROM bad_{charset} WHERE id = 2"), "61FF62")
            for kind, reading in (("whole", "{write_disposition: replace, table: bad_%s}"),
                                  ("merged", "{write_disposition: merge, primary_key: id, table: bad_%s, incremental: {cursor: id, lag: 0}}")):
                with self.subTest(reading=kind, charset=charset):
                    table = f"{kind}_{charset}"
                    self.project.source(self.server, {table: reading % charset})
                    self.project.ok("run")
                    self.assertEqual(self.project.rows(f"SELECT id, w FROM shop.{table} ORDER BY id"), [["1", "good"], ["3", "fine"]])
                    self.assertEqual(self.project.rows(f"SELECT _column, _value FROM shop.{table}__rejects"), [["w", "a\\xFFb"]])
                    self.project.ok("backfill", f"shop.{table}", "--from-raw")
                    self.assertEqual(self.project.rows(f"SELECT id, w FROM shop.{table} ORDER BY id"), [["1", "good"], ["3", "fine"]])

    def test_a_query_gives_what_its_select_says(self):
        self.sql("""CREATE TABLE n (id int, d decimal(10,0), u decimal(5,2) unsigned, t time, w varchar(20) CHARACTER SET latin1, m datetime, j json, b blob);
            INSERT INTO n VALUES (1, 9999999999, 999.99, '00:00:00', 'äö', '2026-01-01', '{"a": "ä"}', X'ff')""")
        self.project.source(self.server, {"q": "{write_disposition: replace, query: 'SELECT id, d, u, t, w, m, j COLLATE utf8mb4_general_ci AS j, b, sum(d) AS s, concat(w, repeat(w, 30000)) AS long_one FROM n GROUP BY id'}"})
        self.project.ok("run")
        row = self.project.rows("SELECT id, d, u, t, w, m, j, b, s, length(long_one), long_one[:4] FROM shop.q")
        self.assertEqual(row, [["1", "9999999999", "999.99", "00:00:00", "äö", "2026-01-01 00:00:00+00", '{"a": "ä"}', "\\xFF", "9999999999", "60002", "äöäö"]])

    def test_a_value_of_twenty_megabytes(self):
        self.server.sql("SET GLOBAL max_allowed_packet = 67108864")
        self.sql("CREATE TABLE wide (id int, w longtext CHARACTER SET utf8mb4, b longblob); INSERT INTO wide VALUES (1, repeat('ä', 10000000), repeat(X'ff', 20000000))")
        self.project.source(self.server, {"wide": "{write_disposition: replace}"})
        self.project.ok("run")
        self.assertEqual(self.counts("wide", "length(w), octet_length(b)"), ["10000000", "20000000"])

    def test_wide_rows(self):
        columns = [f"c{n}" for n in range(500)]
        self.sql(f"CREATE TABLE broad (id int PRIMARY KEY, {', '.join(f'{c} int' for c in columns)}); INSERT INTO broad SELECT seq, {', '.join('seq' for _ in columns)} FROM seq_1_to_3000")
        self.project.source(self.server, {"broad": "{write_disposition: replace}"})
        self.project.ok("run")
        self.assertEqual(self.counts("broad", "count(*), sum(c0), sum(c499)"), ["3000", "4501500", "4501500"])


if __name__ == "__main__":
    unittest.main()
