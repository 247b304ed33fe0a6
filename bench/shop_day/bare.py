"""The bare DuckDB script: the same inputs, the same bronze, silver and gold Parquet, and nothing else: no raw copies, checks,
rejects, commits, field ids, state or recovery. `bare.py cold|day FOLDER` (cold: all from nothing; day: what changed)."""
import glob
import os
import shutil
import sys

import duckdb

EXTENSION = os.environ["SQLITE_EXTENSION"]
COPY = "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month), WRITE_PARTITION_COLUMNS, OVERWRITE_OR_IGNORE)"
COLUMNS = ("{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'BIGINT', 'InvoiceDate': "
           "'TIMESTAMP', 'UnitPrice': 'DECIMAL(18,2)', 'CustomerID': 'DOUBLE', 'Country': 'VARCHAR'}")
LINES = """SELECT InvoiceNo AS invoice_no, StockCode AS stock_code, nullif(trim(Description), '') AS description, Quantity AS quantity,
  InvoiceDate AS invoice_date, UnitPrice AS unit_price, CAST(CustomerID AS BIGINT) AS customer_id, Country AS country,
  starts_with(InvoiceNo, 'C') AS is_cancel, CAST(date_trunc('month', InvoiceDate) AS DATE) AS month FROM read_parquet({files})"""
HISTORY = """SELECT id, invoice_no, stock_code, description, quantity, CAST(invoice_date AS TIMESTAMP) AS invoice_date,
  CAST(unit_price AS DECIMAL(18,2)) AS unit_price, customer_id, country, updated_at,
  CAST(date_trunc('month', CAST(invoice_date AS TIMESTAMP)) AS DATE) AS month"""
GOLD = """SELECT month, CAST(invoice_date AS DATE) AS day, country, count(*) AS line_count, count(DISTINCT invoice_no) AS invoices,
  sum(quantity) AS units, sum(quantity * unit_price) AS revenue FROM
  (SELECT month, invoice_date, country, invoice_no, quantity, unit_price FROM read_parquet('{out}/silver/lines/*/*.parquet', hive_partitioning=false)
   UNION ALL
   SELECT month, invoice_date, country, invoice_no, quantity, unit_price FROM read_parquet('{out}/silver/history/*/*.parquet', hive_partitioning=false))
  WHERE {only} GROUP BY ALL"""


def main(mode, folder):
    db = duckdb.connect(config={"threads": 2, "memory_limit": "700MB", "preserve_insertion_order": False})
    db.execute(f"LOAD '{EXTENSION}'")
    db.execute(f"ATTACH '{folder}/erp.db' AS erp (TYPE sqlite, READ_ONLY)")
    out = f"{folder}/bare"
    for name in ("bronze/orders", "bronze/history", "silver"):
        os.makedirs(f"{out}/{name}", exist_ok=True)
    mark = f"{out}/mark"
    done = set(open(mark).read().split()) if os.path.exists(mark) else set()
    new = [f for f in sorted(glob.glob(f"{folder}/drops/*.csv")) if f not in done]
    if not new and mode == "day":
        return
    batch = f"{out}/bronze/orders/{mode}.parquet"
    db.execute(f"COPY (SELECT * FROM read_csv({new}, header=true, auto_detect=false, columns={COLUMNS})) TO '{batch}' (FORMAT parquet, COMPRESSION zstd)")
    db.execute(f"COPY ({LINES.format(files=repr([batch]))}) TO '{out}/silver/lines' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month), "
               f"WRITE_PARTITION_COLUMNS, APPEND)")
    if mode == "cold":
        db.execute(f"COPY (SELECT * FROM erp.orders_history) TO '{out}/bronze/history/all.parquet' (FORMAT parquet, COMPRESSION zstd)")
        db.execute(f"COPY ({HISTORY} FROM read_parquet('{out}/bronze/history/all.parquet')) TO '{out}/silver/history' {COPY}")
        months = "true"
    else:
        since = db.execute(f"SELECT max(updated_at) FROM read_parquet('{out}/bronze/history/all.parquet')").fetchone()[0]
        db.execute(f"COPY (SELECT * FROM erp.orders_history WHERE updated_at >= '{since}') TO '{out}/changes.parquet' (FORMAT parquet)")
        db.execute(f"COPY (SELECT * FROM read_parquet('{out}/bronze/history/all.parquet') AS h ANTI JOIN read_parquet('{out}/changes.parquet') AS c USING (id) "
                   f"UNION ALL SELECT * FROM read_parquet('{out}/changes.parquet')) TO '{out}/bronze/history/new.parquet' (FORMAT parquet, COMPRESSION zstd)")
        os.replace(f"{out}/bronze/history/new.parquet", f"{out}/bronze/history/all.parquet")
        db.execute(f"COPY (SELECT * FROM read_parquet('{out}/silver/history/*/*.parquet', hive_partitioning=false) AS h ANTI JOIN read_parquet('{out}/changes.parquet') AS c USING (id) "
                   f"UNION ALL {HISTORY} FROM read_parquet('{out}/changes.parquet')) TO '{out}/silver/history.new' {COPY}")
        shutil.rmtree(f"{out}/silver/history")
        os.replace(f"{out}/silver/history.new", f"{out}/silver/history")
        months = "true"
    db.execute(f"COPY ({GOLD.format(out=out, only=months)}) TO '{out}/gold' {COPY}")
    with open(mark, "a") as f:
        f.write("\n".join(new) + "\n")


main(*sys.argv[1:3])
