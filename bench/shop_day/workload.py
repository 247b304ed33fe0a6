"""The workload of shop_day, made once from the real shop's files and a seed, standard library only.

20 real days; HISTORY rows of order history in a SQLite database; then a day of 1,000,000 lines in 50 CSV files, and
100,000 changed and 25,000 new rows of the history.
"""
import csv
import datetime as dt
import glob
import gzip
import os
import random
import sqlite3

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country".split(",")


class Shop:
    def __init__(self, days, seed=7):
        products, self.customers = {}, []
        for name in sorted(glob.glob(os.path.join(days, "*.csv.gz"))):
            with gzip.open(name, "rt", encoding="utf-8", newline="") as f:
                for row in csv.DictReader(f):
                    products.setdefault(row["StockCode"], (row["Description"], row["UnitPrice"]))
                    self.customers.append((row["CustomerID"], row["Country"]))
        self.products = [(code, *rest) for code, rest in products.items()]
        self.random = random.Random(seed)

    def product(self):
        return self.products[int(self.random.random() * len(self.products))]

    def customer(self):
        return self.customers[int(self.random.random() * len(self.customers))]

    def quantity(self):
        return 1 + int(self.random.random() * self.random.random() * 48)


def real_days(days, out):
    os.makedirs(out, exist_ok=True)
    for name in glob.glob(os.path.join(days, "*.csv.gz")):
        with gzip.open(name, "rb") as src, open(os.path.join(out, os.path.basename(name)[:-3]), "wb") as dst:
            dst.write(src.read())


def big_day(shop, out, rows, files, day):
    os.makedirs(out, exist_ok=True)
    invoice = 600000
    for k in range(files):
        with open(os.path.join(out, f"{day}-{k:02d}.csv"), "w", encoding="utf-8", newline="") as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(HEAD)
            left = 0
            for _ in range(rows // files):
                if left == 0:
                    left, invoice = 1 + int(shop.random.random() * 40), invoice + 1
                    customer, country = shop.customer()
                    at = f"{day} {8 + int(shop.random.random() * 12):02d}:{int(shop.random.random() * 60):02d}:00"
                    cancelled = shop.random.random() < 0.02
                left -= 1
                code, text, price = shop.product()
                n = shop.quantity()
                writer.writerow(("C" * cancelled + str(invoice), code, text, -n if cancelled else n, at, price, customer, country))


def history_rows(shop, rows):
    start, step = dt.datetime(2009, 1, 1), 730 * 86400 / max(rows, 1)
    for i in range(rows):
        code, text, price = shop.product()
        customer, country = shop.customer()
        at = start + dt.timedelta(seconds=int(i * step))
        yield (i + 1, str(100000 + i // 20), code, text, shop.quantity(), str(at), float(price),
               int(float(customer)) if customer else None, country,
               str(at + dt.timedelta(seconds=int(shop.random.random() * 3600))))


def history(shop, path, rows):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE orders_history (id INTEGER PRIMARY KEY, invoice_no TEXT, stock_code TEXT, description TEXT, "
                   "quantity INTEGER, invoice_date TEXT, unit_price REAL, customer_id INTEGER, country TEXT, updated_at TEXT)")
        db.executemany("INSERT INTO orders_history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", history_rows(shop, rows))
        db.execute("CREATE INDEX updated ON orders_history (updated_at)")
    db.close()


def change_history(path, rows, updates, inserts, day):
    pick = random.Random(11)
    with sqlite3.connect(path) as db:
        db.executemany("UPDATE orders_history SET quantity = quantity + 1, updated_at = ? WHERE id = ?",
                       ((f"{day} 06:00:00", n) for n in pick.sample(range(1, rows + 1), updates)))
        db.execute(f"INSERT INTO orders_history SELECT id + {rows}, invoice_no, stock_code, description, quantity, '{day} 05:00:00', "
                   f"unit_price, customer_id, country, '{day} 06:00:00' FROM orders_history WHERE id <= {inserts}")
    db.close()
