/* caudal:
description: Orders and revenue by day and country
materialize: {incremental: partitions, partition_by: order_date}
columns:
  order_date: {checks: [not_null]}
  revenue: {checks: [{min: 0}], description: Invoiced amount in GBP}
checks:
  - {unique: [order_date, country]}
*/
SELECT
  order_date,
  country,
  count(*) AS orders,
  sum(items) AS items,
  sum(amount) AS revenue
FROM silver.orders
GROUP BY order_date, country
