{{ config(incremental_strategy='append') }}
SELECT invoice_no, stock_code, nullif(trim(description), '') AS description, CAST(quantity AS BIGINT) AS quantity,
       CAST(invoice_date AS TIMESTAMP) AS invoice_date, CAST(unit_price AS DECIMAL(18,2)) AS unit_price,
       CAST(CAST(customer_id AS DOUBLE) AS BIGINT) AS customer_id, country, starts_with(invoice_no, 'C') AS is_cancel,
       CAST(date_trunc('month', CAST(invoice_date AS TIMESTAMP)) AS DATE) AS month, _dlt_load_id AS load_id
FROM {{ source('bronze', 'orders') }}
{% if is_incremental() %}
WHERE _dlt_load_id > (SELECT max(load_id) FROM {{ this }})
{% endif %}
