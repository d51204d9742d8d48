"""One row per customer, and the same table at past days."""
