{{ config(incremental_strategy='merge', unique_key=['day', 'country']) }}
WITH all_lines AS (
  SELECT month, CAST(invoice_date AS DATE) AS day, country, invoice_no, quantity, unit_price, load_id FROM {{ ref('lines') }}
  UNION ALL
  SELECT month, CAST(invoice_date AS DATE) AS day, country, invoice_no, quantity, unit_price, load_id FROM {{ ref('history') }}
)
SELECT month, day, country, count(*) AS line_count, count(DISTINCT invoice_no) AS invoices, sum(quantity) AS units,
       sum(quantity * unit_price) AS revenue, max(load_id) AS load_id
FROM all_lines
{% if is_incremental() %}
WHERE day IN (SELECT day FROM all_lines WHERE load_id > (SELECT max(load_id) FROM {{ this }}))
{% endif %}
GROUP BY ALL
