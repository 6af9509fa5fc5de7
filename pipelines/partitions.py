"""The daily partitions: one business date, one partition. Nothing else belongs here."""

from __future__ import annotations

import dagster as dg

TIMEZONE = "Asia/Shanghai"
BUSINESS_DATES = dg.DailyPartitionsDefinition(
    start_date="2020-01-01", timezone=TIMEZONE, end_offset=1
)
"""From the first year of the city's plan to today; `end_offset` admits today itself."""
