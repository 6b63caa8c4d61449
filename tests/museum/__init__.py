"""Broken scripts with the cause of each, and sound ones that look broken."""
