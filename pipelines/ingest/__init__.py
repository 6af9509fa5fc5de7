"""The door: one module a step (arrive, archive, decode, parse, cast, validate, store).

Every delivery goes the same way, and for every readable one
rows read = rows accepted + rows quarantined.
"""
