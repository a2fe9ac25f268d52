"""Tables with coloured cells."""

from snnlab.report.heat_map import confusion_map, rate_map


def test_confusion_is_coloured_by_the_share_of_the_row():
    cells = confusion_map([[3, 1], [0, 0]], ["a", "b"]).cells
    assert [cell.share for cell in cells[0]] == [0.75, 0.25]
    assert [cell.share for cell in cells[1]] == [0.0, 0.0]


def test_rates_are_coloured_by_their_part_of_the_highest():
    found = rate_map({"a": [0.1, 0.2], "b": [0.4]})
    assert (found.rows, found.columns) == (["a", "b"], ["1", "2"])
    assert [[cell.share for cell in row] for row in found.cells] == [[0.25, 0.5], [1.0]]
    assert found.cells[0][1].tip == "a, t = 2: 0.2000"
