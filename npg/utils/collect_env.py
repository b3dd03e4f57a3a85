"""Information for a bug report: versions, the engine and why it is in use, NumPy's BLAS, threads, platform, self-check.

`python -m npg` prints it. Source: torch.utils.collect_env.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any, NamedTuple

import numpy as np

from npg import engine
from npg._version import __version__
from npg.engine._select import why
from npg.kernels import core, why as why_kernels
from npg.kernels.openblas import function, kernels
from npg.kernels.parallel import limit
from npg.utils._self_check import CHECKS, failures
from npg.utils.threads import get_num_threads

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info", "main", "pretty_str"]

# Prefixes of environment variables that affect npg or NumPy.
_VARIABLES = ("NPG_", "OMP_", "OPENBLAS_", "MKL_", "VECLIB_", "BLIS_", "NPY_", "PYTHON_GIL")
# Optional packages that npg may import.
_OPTIONAL = ("tqdm", "matplotlib", "safetensors", "torch")


class SystemEnv(NamedTuple):
    """The environment; each field is a line of text."""

    npg_version: str
    engine: str
    kernels: str
    numpy_version: str
    blas: str
    threads: str
    python_version: str
    platform: str
    cpu: str
    variables: str
    packages: str
    self_check: str


def get_env_info() -> SystemEnv:
    """Describe this process, and run the self-check, which takes less than a second."""
    bits = 64 if sys.maxsize > 2**32 else 32
    return SystemEnv(
        npg_version=f"{__version__} ({os.path.dirname(os.path.dirname(os.path.abspath(__file__)))})",
        engine=f"{engine.name}: {why}",
        kernels=f"{core.name}: {why_kernels}",
        numpy_version=np.__version__,
        blas=_blas(),
        threads=f"{get_num_threads()} for matrix products, {limit()} for kernels, of {os.cpu_count()} processors",
        python_version=f"{sys.version} ({bits}-bit runtime)".replace("\n", ""),
        platform=platform.platform(),
        cpu=_cpu(),
        variables=", ".join(f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(_VARIABLES)) or "none",
        packages=", ".join(_packages()) or "none",
        self_check=_self_check(),
    )


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    parts = [f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()]
    if (name := kernels()) is not None:
        parts.append(f"kernels for {name}")
        parts.append("parts of products in npg's threads" if _hands_over() else "threads of its own")
    return ", ".join(parts)


def _hands_over() -> bool:
    takes_callback = function("set_threads_callback_function") is not None
    return core.name == "cython" and takes_callback and os.environ.get("NPG_POOL", "1") != "0"


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _packages() -> list[str]:
    lines = []
    for name in _OPTIONAL:
        try:
            lines.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return lines


def _self_check() -> str:
    failed = failures()
    text = f"{len(CHECKS) - len(failed)} of {len(CHECKS)} passed"
    return text + "".join(f"\n    failed: {name}: {reason}" for name, reason in failed)


def pretty_str(envinfo: SystemEnv) -> str:
    """Format the environment as lines for a bug report."""
    titles = {
        "npg_version": "npg",
        "numpy_version": "NumPy",
        "blas": "NumPy's BLAS",
        "python_version": "Python",
        "cpu": "CPU",
        "self_check": "self-check",
    }
    return "\n".join(f"{titles.get(name, name)}: {value}" for name, value in envinfo._asdict().items())


def get_pretty_env_info() -> str:
    """Return the environment as lines for a bug report."""
    return pretty_str(get_env_info())


def main() -> int:
    """Print the lines; return 1 if the self-check fails, else 0."""
    environment = get_env_info()
    print(pretty_str(environment))
    return int("failed:" in environment.self_check)


if __name__ == "__main__":
    sys.exit(main())
