/* caudal:
description: Customers with their history, one row a version
materialize: {snapshot: customer_id}
columns:
  customer_id: {checks: [not_null]}
  segment: {checks: [{accepted_values: [new, regular, wholesale, vip]}]}
*/
SELECT customer_id, name, email, country, segment
FROM erp.customers
