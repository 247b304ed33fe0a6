"""The mapping of docs/connectors/postgres.md: each type of a real server, with values at its edges, read in each way."""
import unittest

from server_cases import TypeCases
import postgres
from test_postgres import PostgresTest

# name, type of the server, value, what it is in the lake: type and text
TYPES = [
    ("boolean", "boolean", "true", "BOOLEAN", "true"),
    ("int2", "int2", "-32768", "SMALLINT", "-32768"),
    ("int4", "int4", "2147483647", "INTEGER", "2147483647"),
    ("int8", "int8", "9223372036854775807", "BIGINT", "9223372036854775807"),
    ("oid", "oid", "4294967295", "BIGINT", "4294967295"),
    ("float4", "float4", "1.5", "FLOAT", "1.5"),
    ("float8", "float8", "0.1", "DOUBLE", "0.1"),
    ("float8 infinity", "float8", "'-Infinity'", "DOUBLE", "-inf"),
    ("float8 nan", "float8", "'NaN'", "DOUBLE", "nan"),
    ("numeric(10,2)", "numeric(10,2)", "-12345678.90", "DECIMAL(10,2)", "-12345678.90"),
    ("numeric(38,10)", "numeric(38,10)", "1234567890123456789012345678.0123456789", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
    ("numeric", "numeric", "123456789012345678901234567890123456789012345.678901", "VARCHAR", "123456789012345678901234567890123456789012345.678901"),
    ("numeric nan", "numeric", "'NaN'", "VARCHAR", "NaN"),
    ("numeric(50,3)", "numeric(50,3)", "12345678901234567890123456789012345678901234567.123", "VARCHAR",
     "12345678901234567890123456789012345678901234567.123"),
    ("numeric(4,-2)", "numeric(4,-2)", "12345", "DECIMAL(6,0)", "12300"),
    ("numeric(3,5)", "numeric(3,5)", "0.00123", "DECIMAL(5,5)", ".00123"),
    ("text", "text", "U&'t\\00E4xt \\20AC \\+01D11E \\000A \"quoted\"'", "VARCHAR", "täxt € 𝄞 \n \"quoted\""),
    ("text empty", "text", "''", "VARCHAR", ""),
    ("varchar", "varchar(10)", "'abc '", "VARCHAR", "abc "),
    ("char", "char(5)", "'ab'", "VARCHAR", "ab"),
    ("bytea", "bytea", "'\\x0001ff41'", "BLOB", "\\x00\\x01\\xFFA"),
    ("uuid", "uuid", "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'", "VARCHAR", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", "json", "'{\"a\":  1}'", "VARCHAR", '{"a":  1}'),
    ("jsonb", "jsonb", "'{\"a\":  [1, null]}'", "VARCHAR", '{"a": [1, null]}'),
    ("date", "date", "'2026-02-28'", "DATE", "2026-02-28"),
    ("date bc", "date", "'0044-03-15 BC'", "DATE", "0044-03-15 (BC)"),
    ("date infinity", "date", "'infinity'", "DATE", "infinity"),
    ("timestamptz", "timestamptz", "'2026-01-01 10:00:00.123456+02'", "TIMESTAMP WITH TIME ZONE", "2026-01-01 08:00:00.123456+00"),
    ("timestamptz infinity", "timestamptz", "'-infinity'", "TIMESTAMP WITH TIME ZONE", "-infinity"),
    ("timestamp", "timestamp", "'2026-01-01 10:00:00.123456'", "TIMESTAMP WITH TIME ZONE", "2026-01-01 10:00:00.123456+00"),
    ("timestamp infinity", "timestamp", "'infinity'", "TIMESTAMP WITH TIME ZONE", "infinity"),
    ("time", "time", "'10:11:12.5'", "VARCHAR", "10:11:12.5"),
    ("time end", "time", "'24:00'", "VARCHAR", "24:00:00"),
    ("timetz", "timetz", "'10:11:12+02'", "VARCHAR", "10:11:12+02"),
    ("interval", "interval", "'1 month 2 days 3 hours'", "VARCHAR", "1 month 2 days 03:00:00"),
    ("int4[]", "int4[]", "'{1,NULL,3}'", "INTEGER[]", "[1, NULL, 3]"),
    ("text[]", "text[]", "'{a,\"b, c\",NULL}'", "VARCHAR[]", "[a, 'b, c', NULL]"),
    ("int4[][]", "int4[][]", "'{{1,2},{3,4}}'", "VARCHAR", "[[1,2],[3,4]]"),
    ("numeric[]", "numeric(10,2)[]", "'{1.50,NULL}'", "VARCHAR", "[1.50,null]"),
    ("timestamptz[]", "timestamptz[]", "array['2026-01-01 00:00Z'::timestamptz]", "VARCHAR", '["2026-01-01T00:00:00+00:00"]'),
    ("enum", "mood", "'ok'", "VARCHAR", "ok"),
    ("enum[]", "mood[]", "'{sad,ok}'", "VARCHAR", '["sad","ok"]'),
    ("domain", "positive", "5", "INTEGER", "5"),
    ("domain of bytea", "secret", "'\\x00ff'", "BLOB", "\\x00\\xFF"),
    ("composite", "pair", "'(1,x)'", "VARCHAR", '{"a":1,"b":"x"}'),
    ("inet", "inet", "'10.0.0.1/24'", "VARCHAR", "10.0.0.1/24"),
    ("bit", "bit(3)", "'101'", "VARCHAR", "101"),
    ("money", "money", "'12.50'", "VARCHAR", "$12.50"),
    ("point", "point", "'(1,2)'", "VARCHAR", "(1,2)"),
    ("range", "int4range", "'[1,5)'", "VARCHAR", "[1,5)"),
    ("xml", "xml", "'<a/>'", "VARCHAR", "<a/>"),
]
SETUP = """CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0); CREATE DOMAIN secret AS bytea;
"""
# The whole table is what the scanner reads by itself; with a condition the server runs a SELECT for it.
READINGS = {"full": "{write_disposition: replace, table: %s}", "incremental": "{write_disposition: merge, primary_key: id, table: %s, incremental: {cursor: id, initial_value: 0}}"}


@unittest.skipIf(postgres.REASON, postgres.REASON)
class Types(TypeCases, PostgresTest):
    types = TYPES
    readings = READINGS

    def make_shop(self):
        super().make_shop()
        self.sql(SETUP)

    def test_each_type_with_its_value_and_null(self):
        self.assert_each_type_with_its_value_and_null()

    def test_a_value_that_its_type_cannot_hold_rejects_its_row_and_no_other(self):
        self.sql("""CREATE TABLE odd (id int PRIMARY KEY, price numeric(10,2), moment timestamptz, tags int[], b bytea, f float8);
            INSERT INTO odd VALUES (1, 1.25, '2026-01-01 00:00Z', '{1,2}', '\\x00ff', 0.1), (2, 'NaN', '2026-01-01', '{1}', NULL, 'NaN'),
            (3, 3, '294276-12-31', NULL, NULL, NULL), (4, 4, 'infinity', '{{1,2},{3,4}}', NULL, NULL), (5, NULL, 'infinity', NULL, NULL, NULL), (6, NULL, NULL, NULL, NULL, '-Infinity');
            GRANT SELECT ON odd TO reader""")
        for name, stream in (("whole", "{write_disposition: replace, table: odd}"),
                             ("merged", "{write_disposition: merge, primary_key: id, table: odd, incremental: {cursor: id}}")):
            with self.subTest(name):
                self.project.source(self.server, {name: stream})
                self.project.ok("run")
                self.assertEqual(self.project.rows(f"SELECT id, price, moment, tags, b, f FROM shop.{name} ORDER BY id"),
                                 [["1", "1.25", "2026-01-01 00:00:00+00", "[1, 2]", "\\x00\\xFF", "0.1"], ["6", "", "", "", "", "-inf"]])
                rejects = self.project.rows(f"SELECT * FROM shop.{name}__rejects")
                self.assertEqual(len(rejects), 4)  # an infinite time too, once a read goes by texts
                self.assertIn("NaN", str(rejects))

    def test_a_query_gives_what_its_select_says(self):
        self.sql("CREATE TABLE n AS SELECT 1 AS id, 'NaN'::numeric(10,2) AS a, 1.5::numeric(10,2) AS b; INSERT INTO n VALUES (2, 2.5, 2.5); GRANT SELECT ON n TO reader")
        self.project.source(self.server, {"q": "{write_disposition: replace, query: 'SELECT id, a, b, a::text AS t FROM n'}"})
        self.project.ok("run")
        self.assertEqual(self.project.rows("SELECT id, a, b, t FROM shop.q"), [["2", "2.50", "2.50", "2.50"]])
        self.assertEqual(len(self.project.rows("SELECT * FROM shop.q__rejects")), 1)


if __name__ == "__main__":
    unittest.main()
