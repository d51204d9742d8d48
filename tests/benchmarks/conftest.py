"""Nothing here is a test: benchmarks are run with ``uv run python -m tests.benchmarks``."""

collect_ignore_glob = ["*"]
