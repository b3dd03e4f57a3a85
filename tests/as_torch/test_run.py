"""`npg run` is `python`: arguments, `__main__`, tracebacks, exit codes, signals, the standard input, children."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from npg import _run
from tests import processes
from tests.as_torch.commands import environment, run, same

# Programs that do not import torch: Python's own behaviour must be left as it is.
SCRIPTS = {
    "arguments": "import sys\nprint(sys.argv, sys.orig_argv[-2:], sys.flags)",
    "path": "import sys\nprint(sys.path)",
    "main": "print({k: v for k, v in sorted(globals().items()) if k not in ('__loader__', '__builtins__')})\n"
    "print(type(__loader__), __builtins__)",
    "main_module": "import __main__, sys\nprint(__main__ is sys.modules['__main__'], __main__.__file__)",
    "exit_3": "import sys\nprint('x')\nsys.exit(3)",
    "exit_text": "import sys\nsys.exit('a reason')",
    "exit_none": "raise SystemExit",
    "os_exit": "import os\nos._exit(7)",
    "error": "def f():\n    return 1 / 0\n\n\nf()",
    "error_group": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "error_with_cause": "try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('wrapped') from e",
    "syntax": "def f(:\n    pass",
    "no_module": "import nothing_of_this_name",
    "stack": "import traceback, inspect\ntraceback.print_stack()\nprint(len(inspect.stack()))",
    "hook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0], a[2].tb_next)\n1 / 0",
    "atexit": "import atexit\natexit.register(print, 'bye')\n1 / 0",
    "warning": "import warnings\nwarnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)",
    "stdin": "import sys\nprint(sys.stdin.read().upper(), input)",
    "unicode": "print('η∇ñ', ascii('η'))",
    "future": "from __future__ import annotations\ndef f(x: y): ...\nprint(f.__annotations__)",
    "recursion": "import sys\nprint(sys.getrecursionlimit())\ndef f(n):\n    return n and f(n - 1)\nprint(f(900))",
    "thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\nt.start()\nt.join()",
    "modules": "import sys\nprint([m for m in sys.modules if m.partition('.')[0] in ('npg', 'numpy', 'torch')])",
    "sitecustomize": "import sys\nprint([m for m in sys.modules if m == 'usercustomize'])",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_does_what_it_does_under_python(name, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPTS[name], encoding="utf-8")
    same("script.py", "-c", "--list", "a b", "", folder=tmp_path, stdin="some text\n")


def test_code_module_stdin_and_folder_are_run_as_python_does(tmp_path):
    show = "import sys\nprint(__name__, sys.argv, sys.path[0], globals().get('__file__'), __spec__ is None)\n"
    package = tmp_path / "package"
    package.mkdir()
    for file in (package / "__init__.py", package / "__main__.py", package / "part.py"):
        file.write_text(show)
    same("-c", show + "1 / 0", "x", "-m", folder=tmp_path)
    same("-m", "package", "x", folder=tmp_path)
    same("-m", "package.part", "-v", folder=tmp_path)
    same("package", "x", folder=tmp_path)
    same("-", "x", folder=tmp_path, stdin=show + "1 / 0\n")
    same(folder=tmp_path, stdin=show)
    same("-m", "nothing", folder=tmp_path)
    same("nothing.py", folder=tmp_path)
    same("-O", "-Wignore", "-X", "dev", "-u", "-c", show + "print(sys.flags, sys.warnoptions)", folder=tmp_path)


def test_modules_of_torch_are_run_too(tmp_path):
    status, text, errors = run("-m", "torch.utils.collect_env", folder=tmp_path, npg=True)
    assert status == 0 and text.startswith("npg: ") and not errors
    status, _, errors = run("-m", "torch.nn", folder=tmp_path, npg=True)
    assert status == 1 and errors.endswith("No code object available for torch.nn\n")
    status, _, errors = run("-m", "torch.nothing", folder=tmp_path, npg=True)
    assert status == 1 and "torch.nothing" in errors


def test_options_before_the_module_are_kept(tmp_path):
    show = "import sys\nprint(sys.flags, sys.warnoptions, sys._xoptions)"
    for options in (("-O",), ("-u", "-Wignore"), ("-X", "utf8", "-P")):
        same("-c", show, folder=tmp_path, options=options)
    command = [sys.executable, "-Om", "npg", "run", "-c", show]
    done = processes.run(command, cwd=tmp_path, env=environment(), text=True, capture_output=True)
    assert "optimize=1" in done.stdout


@pytest.mark.parametrize("options", [("-I",), ("-E",), ("-S",), ("-uE",)])
def test_options_that_would_keep_npg_out_are_refused(options, tmp_path):
    code, out, error = run(*options, "-c", "print(1)", folder=tmp_path, npg=True)
    assert (code, out) == (2, "") and f"option {options[0]} keeps npg out" in error
    assert run("-Werror", "-c", "print(1)", folder=tmp_path, npg=True)[:2] == (0, "1\n")
    assert run("-c", "import sys\nprint(sys.argv)", *options, folder=tmp_path, npg=True)[0] == 0


def test_npg_without_run_is_the_self_check_and_run_has_a_help(tmp_path):
    command = [sys.executable, "-m", "npg"]
    report = processes.run(command, cwd=tmp_path, env=environment(), text=True, capture_output=True)
    assert report.returncode == 0 and "self-check: " in report.stdout
    code, out, _ = run("--help", folder=tmp_path, npg=True)
    assert code == 0 and out.startswith("usage: npg run")
    for word in ("--help", "-h"):
        said = processes.run([*command, word], cwd=tmp_path, env=environment(), text=True, capture_output=True)
        assert said.returncode == 0 and said.stdout.startswith("usage: npg run")


def test_a_forgotten_run_is_told(tmp_path):
    command = [sys.executable, "-m", "npg", "my script.py", "--epochs=3"]
    said = processes.run(command, cwd=tmp_path, env=environment(), text=True, capture_output=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "npg: the only command is run; did you mean `npg run 'my script.py' --epochs=3`?\n"


@pytest.mark.parametrize("command", [["-m", "npg"], [os.path.join(os.path.dirname(sys.executable), "npg")]])
def test_process_that_is_replaced_loads_no_numpy(command, tmp_path):
    if not (command[0] == "-m" or os.path.exists(command[0])):
        pytest.skip("npg is not installed")
    code = "import sys; print(sys.argv, 'npg' in sys.modules); sys.exit(3)"
    command = [sys.executable, "-X", "importtime", *command, "run", "-c", code, "run"]
    done = processes.run(command, cwd=tmp_path, env=environment(), text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (3, "['-c', 'run'] False\n")
    assert "npg._run" in done.stderr and "numpy" not in done.stderr


def test_child_in_place_of_exec_ends_this_process_as_it_ends_itself(monkeypatch):
    code = f"import os, signal, sys; os.kill({os.getpid()}, signal.SIGINT); print(os.environ['X']); sys.exit(5)"
    with processes.default_interrupt():
        assert _run.beside([sys.executable, "-c", code], {**os.environ, "X": "y"}) == 5

    class Ended(contextlib.nullcontext):
        wait = staticmethod(lambda: 0xC000013A)

    monkeypatch.setattr(subprocess, "Popen", lambda command, env: Ended(Ended()))
    assert _run.beside([], {}) == 0xC000013A - 2**32


def test_interrupt_ends_a_script_as_under_python(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('started', flush=True)\ntime.sleep(60)\n")
    seen = []
    for words in ([], ["-m", "npg", "run"]):
        command = [sys.executable, *words, "script.py"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with processes.running(command, cwd=tmp_path, env=environment(), **pipes) as process:
            assert process.stdout.readline() == "started\n"
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, error = process.communicate()
        seen.append((process.returncode, out, error))
    assert seen[0] == seen[1]
    assert seen[0][0] == -signal.SIGINT and seen[0][2].endswith("KeyboardInterrupt\n")


def test_another_sitecustomize_is_read_too(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('read')\n")
    (tmp_path / "script.py").write_text("import sys, sitecustomize\nprint(sitecustomize.__file__)\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    expected = f"read\n{tmp_path / 'sitecustomize.py'}\n"
    assert run("script.py", folder=tmp_path, npg=False, PYTHONPATH=path) == (0, expected, "")
    assert run("script.py", folder=tmp_path, npg=True, PYTHONPATH=path) == (0, "read\n" + expected, "")  # by both


def test_run_within_a_run_adds_nothing_to_the_path(tmp_path):
    inner = "import os; print(os.environ['PYTHONPATH']); import torch; print(torch.__version__)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-m', 'npg', 'run', '-c', {inner!r}])"
    code, out, error = run("-c", outer, folder=tmp_path, npg=True)
    path, version = out.splitlines()
    assert (code, error, version) == (0, "", "2.13.0+npg") and path == os.pathsep.join(
        [_run._START, environment()["PYTHONPATH"]]
    )


CHILDREN = """
import multiprocessing, subprocess, sys

def name():
    import torch
    return torch.__version__

class Layer:
    pass

def work(queue):
    import torch
    queue.put((torch.__version__, torch.nn.Linear.__module__, str(torch.ones(2).dtype)))

if __name__ == "__main__":
    for way in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(way)
        queue = context.Queue()
        process = context.Process(target=work, args=(queue,))
        process.start()
        print(way, queue.get(timeout=60))
        process.join()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(name))
    print(subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__)"], capture_output=True).stdout)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_children_see_npg_too(tmp_path):
    (tmp_path / "script.py").write_text(CHILDREN)
    code, out, error = run("script.py", folder=tmp_path, npg=True)
    assert (code, error) == (0, "")
    child = "('2.13.0+npg', 'torch.nn.modules.linear', 'torch.float32')"
    assert out.splitlines() == [
        *(f"{way} {child}" for way in ("fork", "spawn", "forkserver")), "2.13.0+npg", "b'2.13.0+npg\\n'",
    ]  # fmt: skip


def test_pytest_with_a_conftest(tmp_path):
    (tmp_path / "conftest.py").write_text("import npg.as_torch\n")
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
            import torch

            def test_it():
                assert torch.__version__ == "2.13.0+npg" and torch.ones(2).sum() == 2
        """)
    )
    code, out, _ = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path, npg=False)
    assert code == 0, out
    (tmp_path / "conftest.py").unlink()
    code, out, _ = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path, npg=True)
    assert code == 0, out
