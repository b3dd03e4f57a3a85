"""NumPy's protocols on tensors: what a NumPy function or ufunc gives for a Tensor."""
