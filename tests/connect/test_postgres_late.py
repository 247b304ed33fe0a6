"""Rows that commit late are not lost: interleaved transactions of a real server, for each way that the connector has."""
import unittest

from server_cases import LateCases
import postgres
from test_postgres import PostgresTest

BY_TIME = "{write_disposition: merge, primary_key: id, incremental: {cursor: updated_at}}"
BY_ID = "{write_disposition: merge, primary_key: id, incremental: {cursor: id}}"
BY_DAY = "{write_disposition: merge, primary_key: id, incremental: {cursor: day}}"


@unittest.skipIf(postgres.REASON, postgres.REASON)
class LateRows(LateCases, PostgresTest):
    ways = [("updated_at, all sessions seen", "reader", BY_TIME), ("updated_at, sessions hidden", "blind", BY_TIME),
            ("a serial number", "reader", BY_ID), ("a timestamp without zone", "blind", BY_DAY)]
    events = """CREATE TABLE events (id bigserial PRIMARY KEY, word text, updated_at timestamptz DEFAULT now(), day timestamp DEFAULT now());
GRANT SELECT ON events TO reader, blind; CREATE INDEX ON events (updated_at);
"""

    def test_a_prepared_transaction(self):
        for _ in self.each_way():
            self.sql("BEGIN; INSERT INTO events (word) VALUES ('late'); SELECT pg_sleep(3); PREPARE TRANSACTION 'two'")
            self.sql("INSERT INTO events (word) VALUES ('early'); SELECT pg_sleep(3)")
            self.project.ok("run")
            self.project.ok("run")
            self.sql("COMMIT PREPARED 'two'")

    def test_the_way_changes_between_two_runs(self):
        self.sql("DROP TABLE IF EXISTS events;" + self.events)
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


if __name__ == "__main__":
    unittest.main()
