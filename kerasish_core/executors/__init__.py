"""Ways to run operations and graphs."""
