{{ config(incremental_strategy='merge', unique_key='id') }}
SELECT id, invoice_no, stock_code, description, quantity, CAST(invoice_date AS TIMESTAMP) AS invoice_date,
       CAST(unit_price AS DECIMAL(18,2)) AS unit_price, customer_id, country, updated_at,
       CAST(date_trunc('month', CAST(invoice_date AS TIMESTAMP)) AS DATE) AS month, _dlt_load_id AS load_id
FROM {{ source('bronze', 'orders_history') }}
{% if is_incremental() %}
WHERE _dlt_load_id > (SELECT max(load_id) FROM {{ this }})
{% endif %}
