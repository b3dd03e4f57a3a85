"""Builds npg.kernels._cython and npg.engine._cython; pyproject.toml has everything else about the distribution.

`pip install .`, `pip install -e .` and `python setup.py build_ext --inplace` all run this file. Where the extensions
cannot be built (no compiler, no Cython), an install continues without them and npg runs in pure Python.
Environment:
    NPG_REQUIRE_EXTENSION=1: a failed build is an error instead.
    NPG_PURE_PYTHON=1: build no extensions; a wheel then fits every platform.
    NPG_BUILD=trace: line tracing of the extensions for coverage and profilers; several times slower.
    NPG_BUILD=checks: the extensions check indices, None and overflow, and C code its assertions.
    NPG_BUILD=sanitize: AddressSanitizer and UndefinedBehaviorSanitizer check the extensions, and the memory that they
        pass to NumPy's loops and BLAS. NPG_BUILD=races: ThreadSanitizer. Both with GCC; tests/sanitized.py runs them.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Relative to this file, as setuptools requires. The generated C is not put beside the .pyx (except for coverage): csrc/
# contains only hand-written sources, which the sdist includes.
SOURCES = {"npg.kernels._cython": "csrc/kernels.pyx", "npg.engine._cython": "csrc/engine.pyx"}
GENERATED = Path("build/cython")

# Checks that the release build omits for speed: indices are bounded by the loops around them, and every attribute that
# may be None is tested where it is used. NPG_BUILD=checks verifies that.
CHECKS = ("boundscheck", "wraparound", "initializedcheck", "nonecheck", "overflowcheck")
KINDS = {
    "": dict.fromkeys(CHECKS, False),
    "trace": {**dict.fromkeys(CHECKS, False), "linetrace": True},
    "checks": dict.fromkeys(CHECKS, True),
    "sanitize": dict.fromkeys(CHECKS, False),
    "races": dict.fromkeys(CHECKS, False),
}
MACROS = {
    "": [],
    "trace": [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1")],
    "checks": [],
    "sanitize": [("NPG_SANITIZE", "1")],
    "races": [],
}
SANITIZERS = {"sanitize": ["-fsanitize=address,undefined"], "races": ["-fsanitize=thread"]}
# No -march: a wheel runs on every processor of its platform. -g0 and the linker flags leave out debugging data.
COMPILE = {
    "": ["-O3", "-g0"],
    "trace": ["-O1", "-g0"],
    "checks": ["-O1", "-g", "-UNDEBUG", "-D_FORTIFY_SOURCE=2"],
    **{kind: ["-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer", *flags] for kind, flags in SANITIZERS.items()},
}
LINK = {"linux": ["-Wl,--strip-all"], "darwin": ["-Wl,-S", "-Wl,-x"]}  # of the published build


def kind_of_build() -> str:
    """Return the kind of build that NPG_BUILD selects, a key of KINDS."""
    kind = os.environ.get("NPG_BUILD", "")
    if kind not in KINDS:
        raise SystemExit(f"expected NPG_BUILD to be {', '.join(filter(None, KINDS))} or unset, got {kind!r}")
    return kind


def is_set(name: str) -> bool:
    """Tell whether an environment variable is switched on."""
    return os.environ.get(name, "0") not in ("", "0")


def is_required() -> bool:
    """Tell whether a failed build must fail the command."""
    # The command build_ext asks for the extensions only, so continuing without them would be wrong.
    return is_set("NPG_REQUIRE_EXTENSION") or "build_ext" in sys.argv[1:]


class BuildExtension(build_ext):
    """build_ext that writes the C of the .pyx to build/ and tolerates a failure unless the extensions are required."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # a missing compiler, header, Cython or NumPy raises various errors
            if is_required():
                raise
            self._go_on_without(error)

    def build_extensions(self) -> None:
        # All or none, since the engine calls the kernels in C; setuptools' own loop would leave out only what fails.
        self._cythonize()
        for ext in self.extensions:
            self.build_extension(ext)

    def _cythonize(self) -> None:
        import numpy as np  # imported here: their absence must count as a failed build, not break `setup.py sdist`
        from Cython.Build import cythonize

        kind = kind_of_build()
        stamp = GENERATED / "kind"
        if not stamp.exists() or stamp.read_text() != kind:  # the files there are of another kind of build
            self.force = True
        for ext in self.extensions:
            ext.include_dirs.extend([np.get_include(), "csrc"])
            ext.define_macros.extend(MACROS[kind])
            if self.compiler.compiler_type == "msvc":  # setuptools passes /O2
                ext.extra_compile_args.append("/Od" if kind else "/O2")
            else:
                ext.extra_compile_args.extend(COMPILE[kind])
                ext.extra_link_args.extend(SANITIZERS.get(kind, []) if kind else LINK.get(sys.platform, []))
        # Cython's plug-in for coverage looks for the C beside the .pyx.
        build_dir = None if kind == "trace" else str(GENERATED)
        translated = cythonize(
            self.extensions, build_dir=build_dir, force=bool(self.force), compiler_directives=KINDS[kind]
        )
        for ext, done in zip(self.extensions, translated, strict=True):
            ext.sources = done.sources
        GENERATED.mkdir(parents=True, exist_ok=True)
        stamp.write_text(kind)

    def _go_on_without(self, error: Exception) -> None:
        # An extension of an earlier build would be loaded silently, though it no longer matches its source.
        for ext in self.extensions:
            built = Path(self.get_ext_fullpath(ext.name))
            built.unlink(missing_ok=True)
            if self.editable_mode:
                Path(*ext.name.split(".")[:-1], built.name).unlink(missing_ok=True)
        lines = [
            f"WARNING: the extensions {' and '.join(SOURCES)} were not built: {type(error).__name__}: {error}",
            "npg is installed with its pure-Python engine: the same results, slower.",
            "For the fast engine install a C compiler and the Python headers, then install npg again;",
            "NPG_REQUIRE_EXTENSION=1 turns this warning into an error.",
        ]
        rule = "*" * 100
        print("\n".join([rule, *lines, rule]), file=sys.stderr, flush=True)


setup(
    cmdclass={"build_ext": BuildExtension},
    ext_modules=[]
    if is_set("NPG_PURE_PYTHON")
    else [
        Extension(
            name,
            [source],
            depends=[str(header) for header in sorted(Path("csrc").rglob("*.h"))],
            # npg needs NumPy 2.0 at run time, so no older C API has to be supported.
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
            ],
            # Tells setuptools that the built file may be missing.
            optional=not is_required(),
        )
        for name, source in SOURCES.items()
    ],
)
