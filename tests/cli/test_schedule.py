"""Schedules against an independent calculation: Python's zoneinfo, minute by minute around every change of a clock."""
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import zoneinfo

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAUDAL = os.environ.get("CAUDAL_BINARY", os.path.join(TOP, "build", "caudal"))
UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)

# Both hemispheres, half an hour of shift (Lord Howe), a half-hour offset (St John's), midnight (Havana, Asuncion: none left in
# some years), Ramadan (Casablanca), no change at all.
ZONES = ["Europe/Madrid", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Australia/Sydney", "America/Havana",
         "Pacific/Chatham", "Africa/Casablanca", "Asia/Tokyo", "UTC"]
FIELDS = ["30 2 * * *", "0 3 * * *", "*/10 * * * *", "30 * * * *", "45 * * * *", "15 */2 * * *", "*/20 1-3 * * *", "0 0 * * *",
          "30 0 * * sun", "5 1 L * *", "0 2 * * sun#2", "0 2 * * sunL", "59 1 1-15 * mon", "0 12 * 3,4,10,11 *"]
RULES = [None, "skip", "first", "both"]
YEAR = 2026


def numbers(text, least, most, names=()):
    """The values of one field in plain cron (no L, no #)."""
    found = set()
    for part in text.split(","):
        part, _, step = part.partition("/")
        for i, name in enumerate(names):
            part = part.replace(name, str(least + i))
        if part == "*":
            first, last = least, most
        else:
            first, _, last = part.partition("-")
            first, last = int(first), int(last or first)
        found |= set(range(first, last + 1, int(step or 1)))
    return found


DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def matcher(fields):
    minute, hour, day, month, weekday = fields.split()
    minutes, hours, months = numbers(minute, 0, 59), numbers(hour, 0, 23), numbers(month, 1, 12)

    def is_day(date):
        last = (date.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
        of_week = date.isoweekday() % 7
        by_day = date.day == last.day if day == "L" else date.day in numbers(day, 1, 31)
        if "#" in weekday:
            name, nth = weekday.split("#")
            by_week = of_week == DAYS.index(name) and (date.day - 1) // 7 + 1 == int(nth)
        elif weekday.endswith("L"):
            by_week = of_week == DAYS.index(weekday[:-1]) and date.day + 7 > last.day
        else:
            by_week = of_week in {n % 7 for n in numbers(weekday, 0, 7, DAYS)}
        if day.startswith("*") or weekday.startswith("*"):
            return by_day and by_week
        return by_day or by_week

    days = {}

    def matches(naive):
        if naive.minute not in minutes or naive.hour not in hours or naive.month not in months:
            return False
        date = naive.date()
        if date not in days:
            days[date] = is_day(date)
        return days[date]

    return matches, len(hours) == 24


def expected(fields, zone, rule, start, end):
    """Instants in (start, end], from every minute of both clocks."""
    matches, every_hour = matcher(fields)
    found = set()
    utc = start + MINUTE
    before = (start.astimezone(zone)).utcoffset()
    seen = set()  # local minutes that were on the clock already
    warm = start - dt.timedelta(hours=4)
    while warm <= start:
        seen.add(warm.astimezone(zone).replace(tzinfo=None))
        warm += MINUTE
    while utc <= end:
        local = utc.astimezone(zone)
        naive, shift = local.replace(tzinfo=None), local.utcoffset() - before
        whole_hours = shift % dt.timedelta(hours=1) == dt.timedelta(0)
        if shift > dt.timedelta(0):
            lost = [naive - n * MINUTE for n in range(1, int(shift / MINUTE) + 1)]
            if any(map(matches, lost)) and rule != "skip" and not (rule is None and every_hour and whole_hours):
                found.add(utc)
        if matches(naive):
            again = naive in seen
            # How far the clock was put back when this minute came again.
            put_back = before_shift(zone, utc) if again else None
            by_hours = rule is None and every_hour and (put_back is None or put_back % dt.timedelta(hours=1) == dt.timedelta(0))
            if not again or rule == "both" or by_hours:
                found.add(utc)
        seen.add(naive)
        before = local.utcoffset()
        utc += MINUTE
    return sorted(found)


def before_shift(zone, utc):
    now = utc.astimezone(zone).utcoffset()
    for hours in range(0, 8):
        past = (utc - dt.timedelta(minutes=30 * hours)).astimezone(zone).utcoffset()
        if past != now:
            return past - now
    return dt.timedelta(0)


def edges(zone):
    """Every change of the zone's clock in the year, to the minute, and one quiet day."""
    at, found = dt.datetime(YEAR, 1, 1, tzinfo=UTC), [dt.datetime(YEAR, 6, 15, tzinfo=UTC)]
    while at.year == YEAR:
        following = at + dt.timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            minute = at
            while minute.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
                minute += MINUTE
            found.append(minute)
        at = following
    return found


class Schedules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="caudal-schedule-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.cases = [(fields, rule) for fields in FIELDS for rule in RULES]
        for zone in ZONES:
            project = cls.project(zone)
            os.makedirs(os.path.join(project, "pipelines"))
            with open(os.path.join(project, "caudal.yaml"), "w", encoding="utf-8") as f:
                f.write("name: schedules\n")
            for i, (fields, rule) in enumerate(cls.cases):
                with open(os.path.join(project, "pipelines", f"p{i}.yaml"), "w", encoding="utf-8") as f:
                    f.write(f"schedule: \"{fields}\"\ntime_zone: {zone}\n" + (f"on_dst: {rule}\n" if rule else ""))

    @classmethod
    def project(cls, zone):
        return os.path.join(cls.folder, zone.replace("/", "-"))

    def caudal(self, zone, *words):
        done = subprocess.run([CAUDAL, *words, "--project", self.project(zone)], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_every_edge_of_the_year_is_what_zoneinfo_says(self):
        compared = 0
        for zone_name in ZONES:
            zone = zoneinfo.ZoneInfo(zone_name)
            for edge in edges(zone):
                start, end = edge - dt.timedelta(hours=15), edge + dt.timedelta(hours=15)
                answer = json.loads(self.caudal(zone_name, "schedule", "--next", "200", "--after", start.strftime("%Y-%m-%dT%H:%M"), "--output", "json"))
                for pipeline in answer["pipelines"]:
                    fields, rule = self.cases[int(pipeline["pipeline"][1:])]
                    got = [dt.datetime.strptime(t, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) for t in pipeline["next"]]
                    with self.subTest(zone=zone_name, fields=fields, rule=rule, edge=edge.isoformat()):
                        self.assertEqual([t.isoformat() for t in got if t <= end],
                                         [t.isoformat() for t in expected(fields, zone, rule, start, end)])
                    compared += 1
        self.assertGreater(compared, 1000)

    def test_text_names_both_clocks(self):
        text = self.caudal("Europe/Madrid", "schedule", "p0", "--after", "2026-03-28T12:00", "--next", "2")
        self.assertRegex(text, r"p0 +2026-03-29 03:00 \+02:00 +Europe/Madrid +2026-03-29T01:00:00Z")
        self.assertIsNotNone(re.search(r"2026-03-30 02:30 \+02:00", text))


if __name__ == "__main__":
    unittest.main()
