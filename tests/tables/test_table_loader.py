"""The checker of conf/table: what it accepts, and what it says about what it does not."""

import pytest

from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError
from snnlab.tables.table_file import parse_published
from snnlab.tables.table_loader import load_table
from tests.tables.conftest import SMALL


def test_a_table_is_read(table):
    found = table()
    assert [row.name for row in found.rows][:2] == ["Digits, Cited", "Digits, SDT"]
    assert [column.label for column in found.columns] == ["Acc", "T=2 ECE", "Epochs"]
    assert found.rows[2].run.experiment == "quickstart"
    assert found.rows[2].published[0] == "96.00 +- 0.40"
    assert found.seeds == (0, 1, 2)
    assert [column.places for column in found.columns] == [2, 2, 0]


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            "metric: test/acc}",
            "metrc: test/acc}",
            r":6: columns\[0\].metrc: unknown key. Did you mean 'metric'",
            "name",
        ),
        ("better: lower", "better: less", "unknown choice 'less'", "higher, lower, neither"),
        ("[90, 0.1, null]", "[90, 0.1]", r":10: rows\[0\].published: 2 values for 3 columns", "null"),
        (
            "[90, 0.1, null]",
            "[90, about, null]",
            "expected a number or 'mean \\+- deviation', got 'about'",
            "",
        ),
        ("cited: true, ", "", r"rows\[0\]: nothing fills this row", "cited"),
        ("{row: a}", "{row: b}", "unknown name 'b'", "there are: a"),
        ('against: ["Digits, SDT"]', 'against: ["Digits, SDR"]', "Did you mean 'Digits, SDT'", "Digits, TMC"),
        ("labels: [Digits, SDT]", "labels: [SDT]", "1 labels, but the table has 2", ""),
        ("labels: [Digits, SDT]", "labels: [Digits, TMC]", "there is a 'Digits, TMC' already", ""),
        ("title: Two losses", "", "the key 'title' is missing", ""),
        ("digits: 2", "digits: two", "expected an integer or null, got 'two'", ""),
        ("labels: [Digits, SDT]", "labels: Digits", r"labels: expected a list .* of: text, got 'Digits'", ""),
        ("metric: test/acc}", "metric: true}", "metric: expected text, got true", ""),
        ("title:", "titel: [", "not valid YAML", ""),
        (", notes: {row: a}", "", r":16: footnotes.a: no row refers to it", "remarks"),
    ],
)
def test_mistakes_are_named_with_their_line(table, old, new, message, hint):
    assert old in SMALL
    with pytest.raises(ConfigError, match=message) as caught:
        table(SMALL.replace(old, new, 1))
    assert caught.value.message.startswith("conf/table/table.yaml")
    assert hint in caught.value.hint


def test_a_name_that_does_not_exist_is_guessed():
    with pytest.raises(ConfigError, match=r"unknown name 'tcm_1'\. Did you mean 'tmc_1'"):
        load_table("tcm-1", SearchPath())


def test_published_values():
    assert parse_published("78.05 +- 0.18") == (78.05, 0.18)
    assert parse_published(3) == (3.0, None)
    assert parse_published(None) == (None, None)
