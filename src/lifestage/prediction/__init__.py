"""What a fitted model says of customers: scores, intervals, totals and draws."""
