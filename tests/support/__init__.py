"""What tests use to reach the lab."""
