"""The check that npg is in the main interpreter: it refuses a subinterpreter before NumPy is half imported there."""

import _thread


def _is_main() -> bool:
    if hasattr(_thread, "_is_main_interpreter"):  # from Python 3.12 on
        return bool(_thread._is_main_interpreter())
    try:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found]
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


if not _is_main():
    raise ImportError(
        "npg cannot be imported in a subinterpreter: NumPy and npg's engine keep state of which a process has one. "
        "Import npg in the main interpreter (WSGIApplicationGroup %{GLOBAL} of mod_wsgi), or use a process."
    )
