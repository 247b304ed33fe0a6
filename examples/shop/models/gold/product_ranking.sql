/* caudal:
description: Products by revenue, with the euro value of today's rate
materialize: table
columns:
  stock_code: {checks: [not_null, unique]}
  revenue_eur: {checks: [not_null]}
  rank: {checks: [{min: 1}]}
*/
WITH eur AS (
  SELECT arg_max(rate, rate_date) AS rate FROM rates.daily WHERE currency = 'EUR'
)
SELECT
  l.stock_code,
  any_value(p.description) AS description,
  sum(l.quantity) AS quantity,
  sum(l.amount) AS revenue_gbp,
  CAST(sum(l.amount) * any_value(eur.rate) AS DECIMAL(14,2)) AS revenue_eur,
  row_number() OVER (ORDER BY sum(l.amount) DESC, l.stock_code) AS rank
FROM silver.lines AS l
LEFT JOIN erp.products AS p ON p.stock_code = l.stock_code
CROSS JOIN eur
GROUP BY l.stock_code
