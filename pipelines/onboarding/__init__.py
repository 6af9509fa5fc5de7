"""Onboarding: an unknown file → a contract that passes the lint, and its staging model."""
