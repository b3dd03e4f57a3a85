"""Every op, once: its forward on ndarrays and its vjp beside it. One file per theme; _op.py defines an op."""
