"""Where orders are read and tables are written."""
