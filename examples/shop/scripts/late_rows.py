#!/usr/bin/env python3
"""Lets rows of earlier days arrive late: takes them out of those days' drops and puts them behind the rows of a later one.

  late_rows.py --days FOLDER --into 2010-12-13 --of 2010-12-08 --of 2010-12-10 [--rows 20]

The files of FOLDER are rewritten (work on a copy). Whole invoices are moved, until at least --rows rows of each day are.
"""
import argparse
import random
import sys

import days as drops


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", required=True, metavar="FOLDER")
    parser.add_argument("--into", required=True, metavar="DAY")
    parser.add_argument("--of", required=True, action="append", metavar="DAY")
    parser.add_argument("--rows", type=int, default=20, metavar="N")
    options = parser.parse_args()
    found = drops.days(options.days)
    for day in [options.into, *options.of]:
        if day not in found:
            sys.exit(f"no file of {day} in {options.days}: there are {', '.join(found)}")
    late = []
    for day in sorted(set(options.of)):
        rows = drops.read(found[day])
        invoices = sorted({row[0] for row in rows})
        random.Random(f"late:{day}:{options.into}").shuffle(invoices)
        moved, count = set(), 0
        while invoices and count < options.rows:
            moved.add(invoices.pop())
            count = sum(row[0] in moved for row in rows)
        late += [row for row in rows if row[0] in moved]
        drops.write(found[day], [row for row in rows if row[0] not in moved])
        print(f"{count} rows of {day} ({len(moved)} invoices) arrive with {options.into}")
    drops.write(found[options.into], drops.read(found[options.into]) + late)


if __name__ == "__main__":
    main()
