"""Failures: what is known of one, and how its diagnosis is told."""
