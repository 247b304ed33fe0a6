"""Rows that commit late are not lost: interleaved transactions of a real server, for each way that the connector has."""
import random
import unittest

import postgres_shop as ps
from test_postgres import PostgresTest, make_server

BY_TIME = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"
BY_ID = "{write_disposition: merge, primary_key: id, incremental: {cursor: id}}"
BY_DAY = "{write_disposition: merge, primary_key: id, incremental: {cursor: day}}"
WAYS = [("updated_at, all sessions seen", "reader", BY_TIME), ("updated_at, sessions hidden", "blind", BY_TIME),
        ("a serial number", "reader", BY_ID), ("a timestamp without zone", "blind", BY_DAY)]
TABLE = """CREATE TABLE events (id bigserial PRIMARY KEY, word text, updated_at timestamptz DEFAULT now(), day timestamp DEFAULT now());
GRANT SELECT ON events TO reader, blind; CREATE INDEX ON events (updated_at);
"""


@unittest.skipIf(ps.postgres.REASON, ps.postgres.REASON)
class LateRows(PostgresTest):
    @classmethod
    def setUpClass(cls):
        make_server(cls)
        password = cls.password.replace("'", "''")
        cls.server.sql(f"CREATE ROLE blind LOGIN PASSWORD '{password}'")

    def each_way(self):
        for name, user, stream in WAYS:
            with self.subTest(way=name):
                self.sql("DROP TABLE IF EXISTS events;" + TABLE)
                self.project.remove()
                self.project = ps.Project(self.password)
                self.addCleanup(self.project.remove)
                self.project.source(self.server, {"events": stream}, user=user)
                yield
                self.project.ok("run")
                self.assert_same("events", "id, word")

    def session(self):
        session = self.server.session("shop")
        self.addCleanup(session.close)
        return session

    def test_a_transaction_that_is_open_while_others_commit(self):
        for _ in self.each_way():
            late = self.session()
            late.sql("BEGIN; INSERT INTO events (word) VALUES ('late')")
            self.sql("SELECT pg_sleep(0.01); INSERT INTO events (word) SELECT 'early' FROM generate_series(1, 5)")
            self.project.ok("run")
            self.assertEqual(self.project.rows("SELECT count(*) FROM shop.events"), [["5"]])
            self.project.ok("run")
            late.sql("COMMIT")

    def test_a_transaction_that_began_and_has_not_written_yet(self):
        # Its now() is fixed, and it has no number of its own: the oldest *writer* alone would not tell.
        for _ in self.each_way():
            late = self.session()
            late.sql("BEGIN; SELECT now()")
            self.sql("SELECT pg_sleep(3); INSERT INTO events (word) VALUES ('early')")
            self.sql("SELECT pg_sleep(3)")
            self.project.ok("run")
            late.sql("INSERT INTO events (id, word) VALUES (-1, 'late'); COMMIT")

    def test_a_prepared_transaction(self):
        for _ in self.each_way():
            self.sql("BEGIN; INSERT INTO events (word) VALUES ('late'); SELECT pg_sleep(3); PREPARE TRANSACTION 'two'")
            self.sql("INSERT INTO events (word) VALUES ('early'); SELECT pg_sleep(3)")
            self.project.ok("run")
            self.project.ok("run")
            self.sql("COMMIT PREPARED 'two'")

    def test_savepoints_and_updates(self):
        for _ in self.each_way():
            self.sql("INSERT INTO events (word) SELECT 'old' FROM generate_series(1, 20)")
            self.project.ok("run")
            late = self.session()
            late.sql("BEGIN; SAVEPOINT a; UPDATE events SET word = 'mine', updated_at = now(), day = now() WHERE id = 3; SAVEPOINT b; "
                     "INSERT INTO events (word) VALUES ('inner'); RELEASE b")
            self.sql("UPDATE events SET word = 'yours', updated_at = now(), day = now() WHERE id = 5; SELECT pg_sleep(3)")
            self.project.ok("run")
            late.sql("COMMIT")

    def test_the_way_changes_between_two_runs(self):
        self.sql("DROP TABLE IF EXISTS events;" + TABLE)
        users = ["blind", "reader", "blind", "reader", "reader"]
        sessions = []
        for n, user in enumerate(users):
            self.project.source(self.server, {"events": BY_TIME}, user=user)
            sessions.append(self.session())
            sessions[-1].sql(f"BEGIN; INSERT INTO events (word) VALUES ('late {n}')")
            self.sql(f"SELECT pg_sleep(2.1); INSERT INTO events (word) VALUES ('early {n}')")
            self.project.ok("run")
            if n > 0:
                sessions[n - 1].sql("COMMIT")
        sessions[-1].sql("COMMIT")
        self.project.ok("run")
        self.assert_same("events", "id, word")

    def test_random_interleavings(self):
        dice = random.Random(20261121)
        for _ in self.each_way():
            open_ones = []
            for step in range(25):
                chance = dice.random()
                if chance < 0.35 and len(open_ones) < 6:
                    session = self.session()
                    session.sql("BEGIN; SELECT now()")
                    open_ones.append(session)
                elif chance < 0.6 and open_ones:
                    dice.choice(open_ones).sql(f"INSERT INTO events (word) VALUES ('s{step}')")
                elif chance < 0.75 and open_ones:
                    open_ones.pop(dice.randrange(len(open_ones))).sql("COMMIT" if dice.random() < 0.8 else "ROLLBACK")
                elif chance < 0.85:
                    self.sql(f"INSERT INTO events (word) VALUES ('alone {step}'); SELECT pg_sleep(0.7)")
                else:
                    self.project.ok("run")
            for session in open_ones:
                session.sql("COMMIT")


if __name__ == "__main__":
    unittest.main()
