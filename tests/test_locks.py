"""One process holds a lock; a file system without locks gets a warning and goes on."""

import fcntl

import pytest

from snnlab.locks import lock


def test_a_second_holder_is_turned_away_until_the_first_is_done(tmp_path):
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert lock(first)
        assert not lock(second)
        first.close()
        assert lock(second, wait=True)


@pytest.mark.parametrize("number", [37, 38, 95, 524])
def test_no_locks_here(tmp_path, monkeypatch, number):
    def refuse(file, how):
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        (tmp_path / "lock").open("w") as file,
        pytest.warns(UserWarning, match="no locks on the file system"),
    ):
        assert lock(file)


def test_other_errors_stay_errors(tmp_path, monkeypatch):
    def refuse(file, how):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (tmp_path / "lock").open("w") as file, pytest.raises(OSError, match="input/output"):
        lock(file)
