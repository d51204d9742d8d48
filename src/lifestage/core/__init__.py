"""What every room may import: errors, column names, periods, dates, notes and terms."""
