"""The floor of the corridor: one DuckDB query from order lines to one row a customer, written as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from clock import Call, main

QUERY = """
copy (
    select customer_id,
           count(*) - 1 as frequency,
           (max(day) - min(day)) / 7.0 as recency,
           (date '{until}' - min(day)) / 7.0 as T,
           case when count(*) > 1 then (sum(net) - arg_min(net, day)) / (count(*) - 1) else 0 end as monetary_value
    from (
        select customer_id, cast(date as date) as day, sum(amount) as net
        from '{orders}' group by customer_id, day
    )
    group by customer_id
) to '{out}' (format parquet)
"""

COMPARE = """
select count(*) as customers,
       max(greatest(abs(a.frequency - b.frequency), abs(a.recency - b.recency), abs(a.T - b.T),
                    abs(a.monetary_value - b.monetary_value) / greatest(1, abs(b.monetary_value)))) as largest,
       (select count(*) from '{a}') as in_a, (select count(*) from '{b}') as in_b
from '{a}' a join '{b}' b using (customer_id)
"""


def aggregate(data: str, out: str, until: str) -> Call:
    """Aggregate orders to (customer, frequency, recency, T, monetary_value)."""
    connection = duckdb.connect()
    Path(out).parent.mkdir(parents=True, exist_ok=True)

    def call() -> dict[str, Any]:
        connection.execute(QUERY.format(orders=data, out=out, until=until))
        return {}

    return call


def compare(a: str, b: str) -> Call:
    """The largest difference between two customer tables, and how many customers are in both and in each."""
    connection = duckdb.connect()

    def call() -> dict[str, Any]:
        both, largest, in_a, in_b = connection.execute(COMPARE.format(a=a, b=b)).fetchall()[0]
        return {"same_customers": both == in_a == in_b, "largest": float(largest)}

    return call


if __name__ == "__main__":
    main({"aggregate": aggregate, "compare": compare})
