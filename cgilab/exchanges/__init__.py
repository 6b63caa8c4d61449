"""Exchanges: what one is, how it is read from what httpd logs, kept, and shown."""
