"""Damaged and hostile files, thousands of them, and what hypothesis finds; fuzzing.py tries more every night."""

import io
import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import example, given, settings, strategies as st

import npg
from tests import processes
from tests.conftest import ROOT
from tests.serialization import fuzzing


@pytest.mark.skipif(os.name != "posix", reason="the fuzzer's clock is an alarm signal")
def test_mutated_files_are_opened_or_refused(tmp_path):
    (tmp_path / "seeds").write_bytes(pickle.dumps(fuzzing.seeds()))
    program = "import pickle, sys; from tests.serialization.fuzzing import run; "
    program += "files = pickle.load(open(sys.argv[1], 'rb'))"
    found = processes.run(
        [sys.executable, "-c", f"{program}; print(sum(run(4_000, 1, files).values()))", str(tmp_path / "seeds")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.stdout.split() == ["4000"], found.stderr[-3000:]


def test_the_fuzzer_sees_what_it_looks_for():
    """A checker is itself checked: each kind of failure is one."""
    file = io.BytesIO()
    npg.save(npg.arange(3), file)
    data, load = file.getvalue(), npg.load
    try:
        for wrong in (
            lambda f: (_ for _ in ()).throw(KeyError("x")),
            lambda f: __import__("this_module_does_not_exist"),
            lambda f: (_ for _ in ()).throw(RuntimeError("x" * 10_000)),
        ):
            npg.load = wrong
            with pytest.raises(fuzzing.Failure):
                fuzzing.tried(data)
    finally:
        npg.load = load


numbers = st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none() | st.complex_numbers(allow_nan=False)
keys = st.text() | st.integers() | st.booleans() | st.none() | st.tuples(st.text(), st.integers())
values = st.recursive(
    numbers | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner) | st.sets(st.integers() | st.text())
    ),
)


def typed(value):
    """Return a value with the types of its parts; sets in some order."""
    if isinstance(value, dict):
        return type(value), [(typed(key), typed(part)) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [typed(part) for part in value]
    return type(value), sorted(map(repr, value)) if isinstance(value, set) else repr(value)


@settings(max_examples=50)
@given(values, st.sampled_from([True, False]))
def test_containers_come_back(value, zipped):
    file = io.BytesIO()
    npg.save(value, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    found = npg.load(file)
    assert found == value and typed(found) == typed(value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"\x80\0.")
def test_bytes_are_refused(data):
    for start in (b"", b"\x80\2", b"PK\3\4"):
        fuzzing.tried(start + data)
