"""Reads the small files of a run directory: JSON objects, and JSON lines. A damaged file is named once, and absent.

So one bad run stops no table, report or sweep; a run with a damaged result is trained again, or goes on from its
checkpoint.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any


def read_record(
    file: Path, is_whole: Callable[[dict[str, Any]], bool] = lambda content: True
) -> dict[str, Any] | None:
    """The object in a JSON file; None if there is no such file, or if it is damaged, which is said.

    Args:
        file: the file.
        is_whole: whether the content has the shape that its readers expect.
    """
    try:
        return parse(file.read_bytes(), is_whole)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        say_damaged(file, error.strerror or type(error).__name__)
        return None
    except ValueError as error:
        say_damaged(file, str(error))
        return None


def read_rows(
    file: Path, is_whole: Callable[[dict[str, Any]], bool] = lambda content: True
) -> list[dict[str, Any]]:
    """The objects in a file with one on each line, up to the first that is damaged, which is said.

    A last line without its end is that of a killed process and is left out without a word.

    Args:
        file: the file.
        is_whole: whether a row has the shape that its readers expect.
    """
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        say_damaged(file, error.strerror or type(error).__name__)
        return []
    rows = []
    *lines, torn = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(parse(line, is_whole))
        except ValueError as error:
            say_damaged(file, f"line {number}: {error}; it counts up to there")
            break
    else:
        with suppress(ValueError):
            rows += [parse(torn, is_whole)] if torn else []
    return rows


def parse(text: bytes, is_whole: Callable[[dict[str, Any]], bool] = lambda content: True) -> dict[str, Any]:
    """The JSON object that a file or a line holds.

    Raises:
        ValueError: it holds something else, or not the shape that its readers expect.
    """
    try:
        content = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not an object")
    if not is_whole(content):
        raise ValueError("values are missing, or of another type")
    return content


@cache
def say_damaged(file: Path, reason: str) -> None:
    """Warns of a file on the error output, once."""
    sys.stderr.write(f"warning: {file} is damaged and left out: {reason}\n")
