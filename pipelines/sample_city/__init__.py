"""A made-up Linyi of any size: what its departments would send, night by night.

Belongs here: a city whose people, enterprises and registers hang together, its deliveries in
the contracts' formats, the defects planted in them, and the truth about both.
Does not belong here: anything that production code reads; only `yishu evaluate` and the tests
look at the truth.
"""

from pipelines.sample_city.city import build

__all__ = ["build"]
