"""The data door: from an order log to one row a customer, on any engine."""
