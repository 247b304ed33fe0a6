#!/usr/bin/env python3
"""Makes a bad drop from a good one, always the same.

  bad_day.py truncated IN OUT [--keep 0.6] [--checksum]   the upload broke off: the text ends inside a row
  bad_day.py broken    IN OUT.gz [--keep 0.6]             the archive itself ends too early
  bad_day.py spoiled   IN OUT [--negative-prices 5] [--absurd-quantities 5]   well-formed, but rows that no check should pass

IN and OUT are .csv or .csv.gz. --checksum also writes OUT.sha256, of the file as it was meant to be.
"""
import argparse
import hashlib
import os
import random
import sys

import days as drops


def truncated(options):
    content = drops.read_bytes(options.source)
    cut = int(len(content) * options.keep)
    line = content.rfind(b"\n", 0, cut) + 1
    end = content.find(b"\n", line)
    cut = line + (end - line) // 2  # the middle of that row, wherever the share ended
    if options.checksum:
        drops.write_bytes(options.out, content)
        with open(options.out, "rb") as f:
            whole = hashlib.sha256(f.read()).hexdigest()
        drops.write_bytes(options.out + ".sha256", f"{whole}  {os.path.basename(options.out)}\n".encode())
    drops.write_bytes(options.out, content[:cut])
    print(f"{options.out}: ends inside row {content[:cut].count(bytes([10]))} of {content.count(bytes([10])) - 1}")


def broken(options):
    if not options.out.endswith(".gz"):
        sys.exit("broken: OUT must end in .gz (a text that ends too early is 'truncated')")
    drops.write_bytes(options.out, drops.read_bytes(options.source))
    os.truncate(options.out, int(os.path.getsize(options.out) * options.keep))
    print(f"{options.out}: the archive ends after {os.path.getsize(options.out)} bytes")


def spoiled(options):
    rows = drops.read(options.source)
    rng = random.Random(f"bad day:{os.path.basename(options.source)}")
    sales = [i for i, row in enumerate(rows) if int(row[3]) > 0 and float(row[5]) > 0]
    wanted = options.negative_prices + options.absurd_quantities
    if wanted > len(sales):
        sys.exit(f"{options.source} has {len(sales)} sales, {wanted} cannot be spoiled")
    chosen = rng.sample(sales, wanted)
    for i in chosen[:options.negative_prices]:
        rows[i][5] = "-" + rows[i][5]
    for i in chosen[options.negative_prices:]:
        rows[i][3] = str(1_000_000 + rng.randint(0, 999_999))
    drops.write(options.out, rows)
    print(f"{options.out}: {options.negative_prices} negative prices and {options.absurd_quantities} absurd quantities in lines "
          + ", ".join(str(i + 2) for i in sorted(chosen)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True, metavar="truncated|broken|spoiled")
    for kind in (truncated, broken, spoiled):
        one = kinds.add_parser(kind.__name__)
        one.set_defaults(run=kind)
        one.add_argument("source", metavar="IN")
        one.add_argument("out", metavar="OUT")
        if kind is spoiled:
            one.add_argument("--negative-prices", type=int, default=5, metavar="N")
            one.add_argument("--absurd-quantities", type=int, default=5, metavar="N")
        else:
            one.add_argument("--keep", type=float, default=0.6, metavar="SHARE")
        if kind is truncated:
            one.add_argument("--checksum", action="store_true")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
