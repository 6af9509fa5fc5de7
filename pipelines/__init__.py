"""The Dagster code location: from a department's file to a published mart."""
