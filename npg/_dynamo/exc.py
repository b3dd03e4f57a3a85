"""The errors of PyTorch's compiler. Source: torch._dynamo.exc."""

from __future__ import annotations

from typing import Any

from npg._naming import named


class TorchDynamoException(RuntimeError):
    """Raised by PyTorch when it cannot compile."""


class InvalidBackend(TorchDynamoException):
    """Raised when a backend has no name of PyTorch's."""

    def __init__(self, name: str) -> None:
        super().__init__(named(f"Invalid backend: {name!r}, see `npg._dynamo.list_backends()` for available backends."))


class Unsupported(TorchDynamoException):
    """Raised by PyTorch when it cannot compile a line; npg never raises it."""


class UserError(Unsupported):
    """Raised by PyTorch when it cannot compile what a user asked for; npg never raises it."""


# The names that PyTorch's own backends have.
_BACKENDS = frozenset(
    """
    aot_eager aot_eager_decomp_partition aot_ts cudagraphs eager eager_debug eager_noexcept inductor openxla
    openxla_eval pre_dispatch_eager tensorrt torchxla_trace_once tvm onnxrt
""".split()
)


_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


def check_arguments(backend: Any = "inductor", mode: str | None = None, options: Any = None, **_others: Any) -> None:
    """Raise RuntimeError for arguments of compile() that do not go together, and as check_backend."""
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    check_backend(backend)


def check_backend(backend: Any) -> None:
    """Raise InvalidBackend for an unknown name, NotImplementedError for a function, which would need a graph."""
    if isinstance(backend, str):
        if backend not in _BACKENDS:
            raise InvalidBackend(backend)
    elif backend is not None:
        raise NotImplementedError(
            "npg records no graph that a backend could be given; use a backend's name, such as 'eager'"
        )
