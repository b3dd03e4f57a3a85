"""The functions of torch.nn.functional: npg/nn/functional.py is the module that users see.

Here stands what the torch namespace has not, or has with another signature. What both have with one signature is one
object, and stands in npg/functional/.
"""
