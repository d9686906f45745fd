"""Logs in to the connection strings on stdin, one a line, with PyPI's psycopg."""

import sys

import psycopg

passed = 0
for line in sys.stdin:
    with psycopg.connect(line.strip()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    passed += 1
print(f"{passed} logins of psycopg passed, 0 failed")
