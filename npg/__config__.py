"""What npg is built on, as text. Source: torch.__config__."""

from __future__ import annotations

from npg._naming import named
from npg.utils import collect_env
from npg.utils.threads import get_num_threads


def show() -> str:
    """Return the versions, the engine and the BLAS."""
    fields = collect_env.get_env_info()._asdict()
    lines = [f"  - {fields[name]}" for name in ("numpy_version", "blas", "engine", "kernels", "python_version")]
    return "\n".join([f"npg {fields['npg_version']}, built on:", *lines, ""])


def parallel_info() -> str:
    """Return the numbers of threads and the variables that set them."""
    fields = collect_env.get_env_info()._asdict()
    threads = named(f"npg.get_num_threads() : {get_num_threads()}\n{fields['threads']}")
    return f"{threads}\nEnvironment variables:\n\t{fields['variables']}\n"


__all__ = ["parallel_info", "show"]
