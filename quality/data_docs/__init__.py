"""Great Expectations' Data Docs of the contracts, for data engineers: counts, never a value."""
