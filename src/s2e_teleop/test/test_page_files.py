"""What the page is made of: every file is served, every reason of the gate has words."""

from __future__ import annotations

import re
from importlib.resources import files

from s2e_core.stops import Reason
from s2e_teleop.server.page import FILES

PAGE = files('s2e_teleop') / 'page'


def text(name: str) -> str:
    return (PAGE / name).read_text(encoding='utf-8')


def test_what_the_page_loads_is_served_and_nothing_else_is_there():
    served = {name for name, _ in FILES.values()}
    assert served == {item.name for item in PAGE.iterdir()}
    loaded = set(re.findall(r'(?:href|src)="([a-z.]+)"', text('index.html')))
    for name in served - {'index.html'}:
        loaded |= set(re.findall(r"from '\./([a-z]+\.js)'", text(name)))
    assert loaded == served - {'index.html'}


def test_every_reason_of_the_gate_has_words_for_a_driver():
    words = set(re.findall(r'^  ([a-z_]+): ', text('reasons.js'), re.MULTILINE))
    assert words == {reason.value for reason in Reason} - {'none'}


def test_every_element_that_a_script_looks_for_is_on_the_page():
    ids = set(re.findall(r'id="([a-z-]+)"', text('index.html')))
    for name in ('teleop.js', 'panel.js', 'screen.js'):
        wanted = set(re.findall(r"\$\('([a-z-]+)'\)", text(name)))
        assert wanted and wanted <= ids, name
