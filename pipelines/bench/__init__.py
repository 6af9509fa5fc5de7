"""Benchmarks: what the platform costs, beside the shortest script that does the same work.

Belongs here: making inputs, timing in processes of their own, tables. Does not belong here:
tests; a timed test fails on a busy machine.
"""
