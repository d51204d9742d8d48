"""The words of the report, one module a language; the same keys in each."""
