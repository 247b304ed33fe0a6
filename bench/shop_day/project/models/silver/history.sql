/* caudal:
materialize: {incremental: merge, key: id, partition_by: month}
columns:
  id: {checks: [not_null, unique]}
*/
SELECT id, invoice_no, stock_code, description, quantity, CAST(invoice_date AS TIMESTAMPTZ) AS invoice_date,
       CAST(unit_price AS DECIMAL(18,2)) AS unit_price, customer_id, country, updated_at,
       CAST(date_trunc('month', CAST(invoice_date AS TIMESTAMP)) AS DATE) AS month
FROM erp.history
