"""Tables in Markdown."""

from snnlab.markdown import markdown_table


def test_columns_are_padded_and_aligned_and_bars_escaped():
    assert markdown_table(["a", "value"], [["x|y", "1.5"], ["", "10"]], words=(0,)) == [
        "| a    | value |",
        "| ---- | ----: |",
        "| x\\|y |   1.5 |",
        "|      |    10 |",
    ]


def test_without_padding():
    assert markdown_table(["a", "n"], [["long text", "1"]], words=(0,), padded=False) == [
        "| a | n |",
        "| --- | --: |",
        "| long text | 1 |",
    ]
