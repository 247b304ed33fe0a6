SELECT day, country FROM {{ ref('daily_sales') }} GROUP BY ALL HAVING count(*) > 1
