"""NumPy's protocols on tensors: the results of NumPy's functions and ufuncs for Tensors."""
