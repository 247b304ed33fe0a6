/* caudal:
description: Cancelled lines, with positive quantities
materialize: {incremental: append, partition_by: order_date}
columns:
  quantity: {checks: [{min: 1}]}
*/
SELECT
  InvoiceNo AS invoice_no,
  StockCode AS stock_code,
  -Quantity AS quantity,
  CAST(-Quantity * UnitPrice AS DECIMAL(14,2)) AS amount,
  CAST(InvoiceDate AT TIME ZONE 'UTC' AS DATE) AS order_date,
  CAST(CustomerID AS BIGINT) AS customer_id,
  Country AS country
FROM stores.lines
WHERE InvoiceNo LIKE 'C%'
