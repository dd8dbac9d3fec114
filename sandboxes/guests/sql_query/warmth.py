"""Reads a few queries ahead, so that forked children inherit what sqlglot makes only when first used.

Parsers, generators and their tables of each dialect; SQLite itself is not touched, and nothing that is kept decides
anything.
"""

import contextlib
from collections.abc import Callable
from typing import Any

_QUERIES = (
    """
    WITH best AS (SELECT dept_id, MAX(salary) AS top FROM emp WHERE hired BETWEEN '2020-01-01' AND '2021-12-31'
    GROUP BY dept_id HAVING COUNT(*) > 1)
    SELECT DISTINCT d.name, CASE WHEN b.top > 100 THEN 'high' ELSE 'low' END AS level, ROUND(b.top * 1.0 / 3, 2)
    FROM best AS b INNER JOIN dept AS d ON d.id = b.dept_id LEFT JOIN emp AS e ON e.dept_id = d.id
    WHERE d.name LIKE 'S%' AND e.salary IN (1, 2.5) AND NOT EXISTS (SELECT 1 FROM emp WHERE id = d.id) OR b.top IS NULL
    ORDER BY b.top DESC, d.name LIMIT 5
    """,
    """
    SELECT name, RANK() OVER (PARTITION BY dept_id ORDER BY salary) AS place FROM emp
    UNION ALL SELECT COALESCE(name, '-') || 'x', CAST(id AS INTEGER) FROM dept
    """,
    "SELECT COUNT(DISTINCT a.id), SUM(a.x), AVG(a.x), MIN(a.y) FROM a WHERE a.y <> 'z' AND a.x >= -1",
)
_DIALECTS = ("sqlite", "postgres", "mysql", "bigquery", "snowflake", "tsql", "duckdb")


def warm(translate: Callable[[str, str], Any], *readers: Callable[[str], Any]) -> None:
    """Translate each query from each common dialect and have it read by each of ``readers``."""
    for query in _QUERIES:
        for dialect in _DIALECTS:
            with contextlib.suppress(ValueError):  # a dialect may have what SQLite cannot say
                translate(query, dialect)
        for read in readers:
            read(query)
