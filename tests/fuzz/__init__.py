"""Mutated files against the door: nothing may crash it, hang it or make it lose a row."""
