"""Damaged files in every reader: read, or one DataError that names the file; never a traceback, never much memory.

`pytest -m faults tests/faults/test_readers.py` damages 500 files for each reader, or as many as SNNLAB_FAULTS says.
"""

import os
import resource
import shutil
import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from snnlab.errors import DataError
from tests.faults.mutations import mutated
from tests.faults.readable import READERS

_MEMORY = 2**30
_SAMPLE = 40
_MANY = int(os.environ.get("SNNLAB_FAULTS", "500"))


@pytest.fixture
def little_memory():
    """A gibibyte more than this process has: a header that asks for more gets a MemoryError."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def _refusal(read, path):
    try:
        read(path)
    except DataError as error:
        return error
    return None


def _try_damaged(reader, tmp_path, examples, derandomize):
    make, read = READERS[reader]
    path = make(tmp_path)
    read(path)  # whole, it is read
    fresh = tmp_path.parent / f"{tmp_path.name}-fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    whole = tmp_path.parent / f"{tmp_path.name}-whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    relative = make(whole).relative_to(whole)
    content = (whole / relative).read_bytes()

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(content))
    def damaged(changed):
        shutil.copytree(whole, fresh)
        try:
            (fresh / relative).write_bytes(changed)
            refused = _refusal(read, fresh / relative)
        finally:
            shutil.rmtree(fresh)
        if refused is not None:
            assert relative.name in refused.message
            assert "\n" not in refused.message + refused.hint
            assert "not enough memory" not in refused.message
            assert refused.hint

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        damaged()


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("reader", READERS)
def test_some_damaged_files_are_one_error(reader, tmp_path):
    _try_damaged(reader, tmp_path, _SAMPLE, derandomize=True)


@pytest.mark.faults
@pytest.mark.usefixtures("little_memory")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("reader", READERS)
def test_many_damaged_files_are_one_error(reader, tmp_path):
    _try_damaged(reader, tmp_path, _MANY, derandomize=False)
