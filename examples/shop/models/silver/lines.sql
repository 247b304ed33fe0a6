/* caudal:
description: Sold lines, typed and cleaned; cancellations stand in silver.returns
materialize: {incremental: append, partition_by: order_date}
columns:
  invoice_no: {checks: [not_null]}
  quantity: {checks: [{min: 1}, {max: 100000}]}
  unit_price: {checks: [{min: 0}]}
*/
SELECT
  InvoiceNo AS invoice_no,
  StockCode AS stock_code,
  trim(Description) AS description,
  Quantity AS quantity,
  UnitPrice AS unit_price,
  CAST(Quantity * UnitPrice AS DECIMAL(14,2)) AS amount,
  InvoiceDate AS invoiced_at,
  CAST(InvoiceDate AT TIME ZONE 'UTC' AS DATE) AS order_date,
  CAST(CustomerID AS BIGINT) AS customer_id,
  Country AS country,
  _source_file,
  _source_row
FROM stores.lines
WHERE InvoiceNo NOT LIKE 'C%' AND Quantity > 0
