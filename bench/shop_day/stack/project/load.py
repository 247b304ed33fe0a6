"""Bronze: the stores' CSV files are appended, the changed rows of the order history are merged by id; both are Delta tables."""
import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb
from dlt.sources.sql_database import sql_table


def orders():
    files = filesystem(bucket_url="drops", file_glob="*.csv", incremental=dlt.sources.incremental("modification_date"))
    # without sep, a damaged file is sniffed as one column of another name and loaded
    rows = files | read_csv_duckdb(chunk_size=100_000, use_pyarrow=True, header=True, all_varchar=True, sep=",")
    return rows.with_name("orders").apply_hints(write_disposition="append", table_format="delta")


def history():
    rows = sql_table("sqlite:///erp.db", table="orders_history", backend="pyarrow", chunk_size=200_000, primary_key="id",
                     incremental=dlt.sources.incremental("updated_at"),
                     write_disposition={"disposition": "merge", "strategy": "upsert"})
    return rows.apply_hints(table_format="delta")


pipeline = dlt.pipeline("shop", pipelines_dir="out/dlt", dataset_name="bronze",
                        destination=dlt.destinations.filesystem("out/lake"))
for resource in (orders, history):
    print(pipeline.run(resource()))
