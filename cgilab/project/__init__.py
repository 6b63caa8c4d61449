"""The lab as a Compose project of this machine: its engine, settings, servers, database, drop-ins and bundle."""
