/* caudal:
description: One row an invoice
materialize: {incremental: partitions, partition_by: order_date}
columns:
  invoice_no: {checks: [not_null]}
  lines: {checks: [{min: 1}]}
*/
SELECT
  invoice_no,
  order_date,
  min(customer_id) AS customer_id,
  min(country) AS country,
  count(*) AS lines,
  sum(quantity) AS items,
  sum(amount) AS amount
FROM silver.lines
GROUP BY invoice_no, order_date
