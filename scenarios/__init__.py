"""One folder a scenario: what it is for, from which data, by which method."""
