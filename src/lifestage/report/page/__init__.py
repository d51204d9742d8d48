"""The page: blocks, charts and templates."""
