"""Contracts → Great Expectations suites, pushed down to DuckDB."""
