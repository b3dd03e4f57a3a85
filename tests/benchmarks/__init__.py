"""Typical CPU workloads, timed by turns with PyTorch. `python -m tests.benchmarks` prints the table."""
