"""Measurements. Each prints a table for docs/benchmarks.md, and is started from the project's folder."""
