"""The words of the report: one TOML file per language, and what writes numbers and money in it."""
