"""The assets of a night, in the order of the data: raw, models, quality, outbox, published."""
