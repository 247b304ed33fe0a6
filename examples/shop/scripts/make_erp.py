#!/usr/bin/env python3
"""The shop's ERP: a SQLite database as it stands at the end of a given day, made from the daily files.

  make_erp.py --days FOLDER --until 2010-12-13 --out erp.db

Run again with a later day, it brings the same database forward: customers and products that are new, segments, e-mail
addresses and prices that changed, invoices that were paid. Everything that changes gets an updated_at on the day of the
change, and the same days and seed give the same rows, in one step or in many.

  customers  one row per customer id of the files; about 2 % change segment or e-mail address on a later day
  products   one row per stock code that begins with five digits; about 1 % change price on a later day
  payments   one row per invoice; negative for a cancellation; customer_id is NULL for a guest;
             paid_at is NULL until an invoice bought on account is paid, some days later
"""
import argparse
import datetime
import os
import random
import re
import sqlite3
import sys

import days as drops

SCHEMA = """
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, country TEXT NOT NULL,
                        segment TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE products (stock_code TEXT PRIMARY KEY, description TEXT, unit_price REAL NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE payments (payment_id INTEGER PRIMARY KEY, invoice_no TEXT NOT NULL, customer_id INTEGER, amount REAL NOT NULL,
                       method TEXT NOT NULL, paid_at TEXT, updated_at TEXT NOT NULL);
CREATE INDEX customers_updated ON customers (updated_at);
CREATE INDEX products_updated ON products (updated_at);
CREATE INDEX payments_updated ON payments (updated_at);
"""
FIRST = ("Ada Alan Amara Anna Ben Carmen Chloe Daniel Elif Emma Eva Felix Grace Hugo Ines Ivan Jack Jana Kofi Lara Lena Leo "
         "Maja Marta Mia Nils Nora Olga Omar Paul Pia Rosa Sami Sofia Tara Theo Uma Viktor Yara Zoe").split()
LAST = ("Abbott Baker Berg Castro Costa Dale Diaz Evans Fischer Garcia Hall Hansen Ito Jansen Keller Kowalski Lane Lopez "
        "Meyer Moreau Nagy Novak Olsen Park Patel Quinn Reed Rossi Sato Silva Stone Tanaka Turner Vega Walsh Weber Young").split()
SEGMENTS = ["new", "regular", "wholesale", "vip"]
DOMAINS = ["example.com", "example.net", "example.org"]


def evening(day, rng):
    """A moment of the day after the shop's last invoice."""
    return f"{day}T{rng.randint(21, 22)}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"


def moment(invoice_date):
    return invoice_date.replace(" ", "T")


def customers(db, day, rows, rng):
    known = {i for (i,) in db.execute("SELECT customer_id FROM customers")}
    first = {}
    for row in rows:
        if row[6]:
            first.setdefault(int(float(row[6])), row)
    for identity in sorted(known):
        if rng.random() < 0.02:
            changed = evening(day, rng)
            if rng.random() < 0.7:
                (now,) = db.execute("SELECT segment FROM customers WHERE customer_id = ?", (identity,)).fetchone()
                segment = rng.choice([s for s in SEGMENTS[1:] if s != now])
                db.execute("UPDATE customers SET segment = ?, updated_at = ? WHERE customer_id = ?", (segment, changed, identity))
            else:
                email = f"customer{identity}.{day.replace('-', '')}@{rng.choice(DOMAINS)}"
                db.execute("UPDATE customers SET email = ?, updated_at = ? WHERE customer_id = ?", (email, changed, identity))
    for identity in sorted(set(first) - known):
        row, own = first[identity], random.Random(f"customer:{identity}")
        name = f"{own.choice(FIRST)} {own.choice(LAST)}"
        email = f"{name.lower().replace(' ', '.')}.{identity}@{own.choice(DOMAINS)}"
        segment = own.choices(SEGMENTS, [70, 20, 8, 2])[0]
        at = moment(row[4])
        db.execute("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?)", (identity, name, email, row[7], segment, at, at))


def products(db, day, rows, rng):
    known = dict(db.execute("SELECT stock_code, unit_price FROM products"))
    for code in sorted(known):
        if rng.random() < 0.01:
            price = max(0.01, round(known[code] * rng.choice([0.85, 0.9, 0.95, 1.05, 1.1]), 2))
            if price != known[code]:
                db.execute("UPDATE products SET unit_price = ?, updated_at = ? WHERE stock_code = ?",
                           (price, evening(day, rng), code))
    new = {}
    for row in rows:
        code, price = row[1], float(row[5])
        if not re.match(r"\d{5}", code) or code in known or price <= 0:
            continue
        description, at = row[2].strip() or None, moment(row[4])
        seen = new.setdefault(code, [description, price, at])
        seen[0] = seen[0] or description
    for code in sorted(new):
        db.execute("INSERT INTO products VALUES (?, ?, ?, ?)", (code, *new[code]))


def payments(db, day, rows, rng):
    for (payment,) in db.execute("SELECT payment_id FROM payments WHERE paid_at IS NULL ORDER BY payment_id").fetchall():
        if rng.random() < 0.4:
            at = evening(day, rng)
            db.execute("UPDATE payments SET paid_at = ?, updated_at = ? WHERE payment_id = ?", (at, at, payment))
    invoices = {}
    for row in rows:
        invoice = invoices.setdefault(row[0], [None, 0.0, row[4]])
        if row[6]:
            invoice[0] = int(float(row[6]))
        invoice[1] += int(row[3]) * float(row[5])
    (last,) = db.execute("SELECT coalesce(max(payment_id), 1000) FROM payments").fetchone()
    for number in sorted(invoices):
        customer, amount, date = invoices[number]
        if round(amount, 2) == 0:
            continue
        last += 1
        method = "refund" if amount < 0 else rng.choices(["card", "transfer", "voucher", "account"], [60, 20, 3, 17])[0]
        at = moment(date)
        db.execute("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)",
                   (last, number, customer, round(amount, 2), method, None if method == "account" else at, at))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", required=True, metavar="FOLDER")
    parser.add_argument("--until", required=True, metavar="DAY")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--seed", default="shop")
    options = parser.parse_args()
    until = int(datetime.date.fromisoformat(options.until).strftime("%Y%m%d"))

    os.makedirs(os.path.dirname(options.out) or ".", exist_ok=True)
    db = sqlite3.connect(options.out, isolation_level=None)
    (done,) = db.execute("PRAGMA user_version").fetchone()  # the last day that is in, as 20101213; 0 for a new file
    if done > until:
        sys.exit(f"{options.out} stands at {done} already: make a new file to go back to {options.until}")
    db.execute("BEGIN IMMEDIATE")
    if not done:
        for statement in SCHEMA.split(";"):
            db.execute(statement)
    for day, path in drops.days(options.days).items():
        number = int(day.replace("-", ""))
        if done < number <= until:
            rows = drops.read(path)
            for part in (customers, products, payments):
                part(db, day, rows, random.Random(f"{options.seed}:{part.__name__}:{day}"))
    db.execute(f"PRAGMA user_version = {until}")
    db.execute("COMMIT")
    counts = [f"{db.execute(f'SELECT count(*) FROM {t}').fetchone()[0]} {t}" for t in ("customers", "products", "payments")]
    print(f"{options.out} as of {options.until}: {', '.join(counts)}")
    db.close()


if __name__ == "__main__":
    main()
