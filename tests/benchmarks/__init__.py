"""What people run on a CPU, timed in turn with PyTorch. `python -m tests.benchmarks` prints the table."""
