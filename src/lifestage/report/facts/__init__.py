"""The facts of a report as plain dicts, without words."""
