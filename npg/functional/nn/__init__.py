"""The functions of torch.nn.functional; npg/nn/functional.py is the module that users see.

These files define what the torch namespace lacks, or has with another signature. A function that both namespaces have
with one signature is one object, defined in npg/functional/.
"""
