/* caudal:
materialize: {incremental: append, partition_by: month}
columns:
  invoice_no: {checks: [not_null]}
  quantity: {checks: [not_null]}
  country: {checks: [not_null]}
*/
SELECT InvoiceNo AS invoice_no, StockCode AS stock_code, nullif(trim(Description), '') AS description,
       Quantity AS quantity, InvoiceDate AS invoice_date, UnitPrice AS unit_price,
       CAST(CustomerID AS BIGINT) AS customer_id, Country AS country, starts_with(InvoiceNo, 'C') AS is_cancel,
       CAST(date_trunc('month', InvoiceDate AT TIME ZONE 'UTC') AS DATE) AS month
FROM stores.orders
