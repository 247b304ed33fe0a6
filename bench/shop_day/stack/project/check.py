"""The expectations on gold.daily_sales; ends with 1 where one is not met."""
import sys

import duckdb
import great_expectations as gx
from great_expectations import expectations as expect

with duckdb.connect("out/shop.duckdb", read_only=True) as db:
    rows = db.sql("SELECT *, concat_ws('|', day, country) AS day_country FROM main_gold.daily_sales").df()
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("gold").add_dataframe_asset("daily_sales")
suite = context.suites.add(gx.ExpectationSuite("daily_sales", expectations=[
    expect.ExpectColumnValuesToNotBeNull(column="day"),
    expect.ExpectColumnValuesToNotBeNull(column="country"),
    expect.ExpectColumnValuesToBeUnique(column="day_country"),
    expect.ExpectColumnValuesToBeBetween(column="revenue", min_value=-1_000_000, max_value=100_000_000),
    expect.ExpectTableRowCountToBeBetween(min_value=1, max_value=1_000_000)]))
result = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows}).validate(suite)
print("daily_sales:", "good" if result.success else [r.expectation_config.type for r in result.results if not r.success])
sys.exit(not result.success)
