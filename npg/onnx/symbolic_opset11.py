"""The functions of ONNX's operators: none, since npg exports no graph. Source: torch.onnx.symbolic_opset11."""

__all__: list[str] = []
