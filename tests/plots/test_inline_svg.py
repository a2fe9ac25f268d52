"""Pictures inside a page: SVG that needs nothing, whose colours are the page's, with tooltips."""

import re

from snnlab.plots.figure import BLUE, INK
from snnlab.plots.inline_svg import COLOURS, inline_picture
from tests.plots.svg import parsed, titles


def test_a_picture_is_plain_svg_with_colours_of_the_page_and_escaped_texts():
    with inline_picture(100, 50, "a < b") as picture:
        axes = picture.figure.subplots()
        axes.plot([0, 1], [0, 1], color=BLUE)
        axes.set_title("x & y", color=INK)
        axes.bar([0], [1], color="#123456").patches[0].set_url(picture.tip('1 < "2"'))
    root = parsed(picture.svg)
    assert root.attrib["viewBox"] == "0 0 100 50"
    assert root.attrib["aria-label"] == "a < b"
    assert titles(picture.svg) == ['1 < "2"']
    assert "stroke: var(--a)" in picture.svg
    assert "fill: var(--ink)" in picture.svg
    assert "#123456" in picture.svg, "a colour that is not the page's stays"
    assert not re.search(r"<a |<style|<metadata|<!--|font-family|http", picture.svg)


def test_the_colours_are_those_of_the_style_sheet():
    from snnlab.report.page import TEMPLATES

    light = (TEMPLATES / "style.css").read_text().split("@media")[0]
    assert [re.search(rf"--{letter}: (#\w+)", light)[1] for letter in "abcdefgh"] == [
        colour.lower() for colour in COLOURS
    ]
