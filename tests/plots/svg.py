"""Reads SVG that is part of a page."""

import xml.etree.ElementTree as ET


def parsed(svg):
    return ET.fromstring(svg.replace("<svg", '<svg xmlns:xlink="x"', 1))


def titles(svg):
    return [one.text for one in parsed(svg).iter("title")]
