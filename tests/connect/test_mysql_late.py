"""Rows that commit late are not lost: interleaved transactions of a real MariaDB server, for each way that the connector has."""
import time
import unittest

from server_cases import LateCases
import mariadb
from test_mysql import MysqlTest

STREAM = "{write_disposition: merge, primary_key: id, incremental: {cursor: %s}}"
BY_TIME, BY_DAY, BY_DATE, BY_ID = STREAM % "updated_at", STREAM % "day", STREAM % "date", STREAM % "id, lag: 1000"
# Shorter than the transactions below last: what finds their rows is that they are seen.
SEEN = STREAM % "updated_at, lag: 0s"
SEEN_DAY = STREAM % "day, lag: 0s"


@unittest.skipIf(mariadb.REASON, mariadb.REASON)
class LateRows(LateCases, MysqlTest):
    ways = [("updated_at, by the lookback", "blind", BY_TIME), ("updated_at, transactions seen", "reader", SEEN), ("a time without zone", "blind", BY_DAY),
            ("a time without zone, transactions seen", "reader", SEEN_DAY), ("a day", "blind", BY_DATE), ("a serial number", "blind", BY_ID)]
    # Times without a zone are of the writer's: the server is five hours behind UTC.
    events = """CREATE TABLE events (id bigint PRIMARY KEY AUTO_INCREMENT, word text, updated_at timestamp(6) NULL DEFAULT now(6), day datetime DEFAULT now(),
        date date DEFAULT (curdate()), KEY (updated_at));"""

    def test_a_transaction_that_lasts_longer_than_the_lag(self):
        """With the right PROCESS it is seen; without, it is not, and the page says so: `lag` must be longer."""
        for user, expected in (("reader", "2"), ("blind", "1")):
            with self.subTest(user=user):
                self.sql("DROP TABLE IF EXISTS events;" + self.events)
                self.project.source(self.server, {"events": STREAM % "updated_at, lag: 1s"}, user=user, name=f"s_{user}")
                late = self.session()
                late.sql("BEGIN; INSERT INTO events (word) VALUES ('late')")
                time.sleep(3)
                self.sql("INSERT INTO events (word) VALUES ('early')")
                self.project.ok("run", "--select", f"s_{user}.events")
                late.sql("COMMIT")
                self.project.ok("run", "--select", f"s_{user}.events")
                self.assertEqual(self.project.rows(f"SELECT count(*) FROM s_{user}.events"), [[expected]])

    def test_a_time_in_the_future_hides_nothing(self):
        self.sql(self.events)
        self.project.source(self.server, {"events": BY_TIME, "days": STREAM.replace("{w", "{table: events, w") % "day"})
        self.sql("INSERT INTO events (word, updated_at, day) VALUES ('end of time', '2037-12-31', '9999-12-31')")
        self.project.ok("run")
        self.sql("INSERT INTO events (word) VALUES ('now')")
        self.project.ok("run")
        for table in ("events", "days"):
            self.assertEqual(self.counts(table), ["2"])


if __name__ == "__main__":
    unittest.main()
