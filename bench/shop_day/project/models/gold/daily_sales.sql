/* caudal:
materialize: {incremental: partitions, partition_by: month}
columns:
  day: {checks: [not_null]}
  country: {checks: [not_null]}
  line_count: {checks: [not_null]}
  revenue: {checks: [{min: -1000000}, {max: 100000000}]}
checks:
  - {unique: [day, country]}
  - {row_count: {min: 1, max: 1000000}}
*/
WITH all_lines AS (
  SELECT month, invoice_date, country, invoice_no, quantity, unit_price FROM silver.lines
  UNION ALL
  SELECT month, invoice_date, country, invoice_no, quantity, unit_price FROM silver.history
)
SELECT month, CAST(invoice_date AT TIME ZONE 'UTC' AS DATE) AS day, country, count(*) AS line_count,
       count(DISTINCT invoice_no) AS invoices, sum(quantity) AS units, sum(quantity * unit_price) AS revenue
FROM all_lines
GROUP BY ALL
