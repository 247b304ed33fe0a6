"""What a tool has in its gold table, as one line that is the same for all who computed it right. `gold.py caudal|bare|stack FOLDER`"""
import sys

import duckdb


def main(tool, folder):
    db = duckdb.connect()
    if tool == "caudal":
        from deltalake import DeltaTable
        gold = db.from_arrow(DeltaTable(f"{folder}/lake/gold/daily_sales").to_pyarrow_dataset())
    elif tool == "bare":
        gold = db.read_parquet(f"{folder}/bare/gold/*/*.parquet", hive_partitioning=False)
    else:
        db.execute(f"ATTACH '{folder}/out/shop.duckdb' AS shop (READ_ONLY)")
        gold = db.table("shop.main_gold.daily_sales")
    print("{} rows, {} lines, {} units, revenue {}".format(*gold.aggregate(
        "count(*), sum(line_count), CAST(sum(units) AS BIGINT), CAST(sum(revenue) AS DECIMAL(38,2))").fetchall()[0]))


main(*sys.argv[1:3])
