"""Links and anchors of all Markdown hold, in the repository and on the site of `make docs`; the site has every page."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted(
    str(path.relative_to(ROOT)) for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern)
)
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.M)
LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")


@pytest.fixture(scope="module")
def site() -> Any:
    """The hook that mkdocs runs."""
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "scripts/docs_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def anchors(text: str) -> list[str]:
    """The anchors of headings, as GitHub and the slugs in mkdocs.yml make them."""
    titles = HEADING.findall(FENCED.sub("", text))
    words = (re.sub(r"\]\([^)]*\)", "]", title) for title in titles)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in words]


def broken(texts: dict[str, str], files: set[str]) -> list[str]:
    """Links of `texts` that lead to no file of `files`, or to no heading or several of one."""
    found = []
    for name, text in texts.items():
        for link in LINK.findall(FENCED.sub("", text)):
            path, _, anchor = link.partition("#")
            target = str((ROOT / name).parent.joinpath(path).resolve().relative_to(ROOT)) if path else name
            if target not in files or (anchor and anchors(texts.get(target, "")).count(anchor) != 1):
                found.append(f"{name}: {link}")
    return found


def pages(entry: Any) -> Iterator[str]:
    """The paths in a navigation of mkdocs."""
    if isinstance(entry, str):
        yield entry
    else:
        for one in entry.values() if isinstance(entry, dict) else entry:
            yield from pages(one)


def images() -> set[str]:
    return {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/images/*")}


def test_links_and_anchors_hold_in_the_repository() -> None:
    assert broken({file: text_of(file) for file in FILES}, {*FILES, *images()}) == []


def test_links_and_anchors_hold_on_the_site(site: Any) -> None:
    texts = {site.site_path(file): site.for_site(text_of(file), file) for file in FILES}
    assert broken(texts, {*texts, *map(site.site_path, images())}) == []


def test_the_navigation_has_every_page_once(site: Any) -> None:
    text = re.sub(r"!!python/\S+", "", text_of("mkdocs.yml"))
    assert sorted(pages(yaml.safe_load(text)["nav"])) == sorted(site.site_path(file) for file in FILES)


def test_links_of_the_readme_lead_to_every_page() -> None:
    seen, ahead = set(), ["README.md"]
    while ahead:
        file = ahead.pop()
        seen.add(file)
        for link in LINK.findall(FENCED.sub("", text_of(file))):
            target = (ROOT / file).parent.joinpath(link.partition("#")[0]).resolve()
            if target.suffix == ".md" and (name := str(target.relative_to(ROOT))) not in seen:
                ahead.append(name)
    assert sorted(seen) == FILES


def test_what_is_broken_is_found() -> None:
    text = "# A b_c, (d)\n## Twice\n## Twice\n```\n# no heading\n```\n"
    assert anchors(text) == ["a-b_c-d", "twice", "twice"]
    links = ["[](#a-b_c-d)", "[](#no)", "[](#twice)", "[](#no-heading)", "[](gone.md)", "[](https://a.b/c)"]
    other = "[](../a.md#a-b_c-d) [](../a.md#none) [](a.md)"
    texts = {"a.md": text + " ".join(links), "docs/b.md": other}
    wrong = ["a.md: #no", "a.md: #twice", "a.md: #no-heading", "a.md: gone.md"]
    assert broken(texts, {"a.md", "docs/b.md"}) == [*wrong, "docs/b.md: ../a.md#none", "docs/b.md: a.md"]


def test_links_of_the_site(site: Any) -> None:
    link = "[a](docs/howto.md#x) [b](CONTRIBUTING.md) [c](https://a.b) [d](Makefile)"
    assert (
        site.for_site(link, "README.md")
        == "[a](howto.md#x) [b](contributing.md) [c](https://a.b) [d](Makefile)"
    )
    assert (
        site.for_site("[a](../../README.md) [b](tmc.md)", "docs/papers/cf.md")
        == "[a](../index.md) [b](tmc.md)"
    )
