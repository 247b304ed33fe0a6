/* caudal:
description: What each known customer has brought so far
materialize: table
columns:
  customer_id: {checks: [not_null, unique]}
*/
SELECT
  o.customer_id,
  c.segment,
  count(*) AS orders,
  min(o.order_date) AS first_order,
  max(o.order_date) AS last_order,
  sum(o.amount) AS revenue
FROM silver.orders AS o
LEFT JOIN silver.customers AS c ON c.customer_id = o.customer_id AND c.is_current
WHERE o.customer_id IS NOT NULL
GROUP BY o.customer_id, c.segment
