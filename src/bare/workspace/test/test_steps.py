"""Steps are done once, are done again when an input changes, and say what went wrong."""

import io
import os
import sys

import pytest

from s2e_workspace.console import Console
from s2e_workspace.errors import WorkspaceError
from s2e_workspace.layout import Layout
from s2e_workspace.overlay import overlay_digest, remove_dangling_links
from s2e_workspace.run import run
from s2e_workspace.stamps import Stamps, digest


def test_digest_sees_names_contents_and_absence(tmp_path):
    a, b = tmp_path / 'a', tmp_path / 'b'
    a.write_text('1')
    absent = digest(files=[a, b], base=tmp_path)
    b.write_text('')
    empty = digest(files=[a, b], base=tmp_path)
    a.write_text('')
    b.write_text('1')
    swapped = digest(files=[b, a], base=tmp_path)
    assert len({absent, empty, swapped}) == 3
    assert digest(texts=['ab', 'c'], base=tmp_path) != digest(texts=['a', 'bc'], base=tmp_path)


def test_digest_does_not_depend_on_where_the_checkout_lies(tmp_path):
    values = set()
    for place in ('one', 'two'):
        (tmp_path / place).mkdir()
        (tmp_path / place / 'f').write_text('x')
        values.add(digest(files=[tmp_path / place / 'f'], base=tmp_path / place))
    assert len(values) == 1


def test_stamp_is_fresh_until_inputs_change_or_it_is_dropped(tmp_path):
    stamps = Stamps(tmp_path / 'deep' / 'stamps')
    assert not stamps.fresh('step', 'v1')
    stamps.write('step', 'v1')
    assert stamps.fresh('step', 'v1')
    assert not stamps.fresh('step', 'v2')
    stamps.drop('step')
    stamps.drop('step')
    assert not stamps.fresh('step', 'v1')


def test_failed_command_shows_the_end_of_its_log(tmp_path):
    code = 'import sys; [print("line", i) for i in range(100)]; sys.exit(3)'
    with pytest.raises(WorkspaceError) as error:
        run(
            [sys.executable, '-c', code],
            log=tmp_path / 'log' / 'tool.log',
            environment=os.environ,
            purpose='the tool',
        )
    assert 'the tool failed (exit 3)' in str(error.value)
    assert 'line 99' in str(error.value)
    assert 'line 5\n' not in str(error.value)
    assert 'line 5\n' in (tmp_path / 'log' / 'tool.log').read_text()


def test_program_that_is_absent_is_named(tmp_path):
    with pytest.raises(WorkspaceError, match='cannot start /no/such/tool'):
        run(['/no/such/tool'], log=tmp_path / 'x.log', environment={}, purpose='x')


def test_console_says_how_a_step_ended():
    out = io.StringIO()
    console = Console(out)
    with console.step('good'):
        pass
    with pytest.raises(ValueError, match='boom'), console.step('bad'):
        raise ValueError('boom')
    good, bad = out.getvalue().splitlines()
    assert good.split() == ['good', '0.0', 's']
    assert bad.split() == ['bad', 'failed', 'after', '0.0', 's']


def test_overlay_is_built_again_for_what_is_installed_not_for_code(tmp_path):
    layout = Layout(tmp_path)
    package = tmp_path / 'src' / 's2e_nav'
    (package / 's2e_nav' / 'nodes').mkdir(parents=True)
    (package / 'package.xml').write_text('<package/>')
    (tmp_path / 'launch').mkdir()
    (tmp_path / 'launch' / 'a.launch.py').write_text('')
    values = [overlay_digest(layout)]
    (package / 's2e_nav' / 'core.py').write_text('code')
    (tmp_path / 'launch' / 'a.launch.py').write_text('changed')
    assert overlay_digest(layout) == values[0]
    for new in (package / 's2e_nav' / 'nodes' / 'gate.py', tmp_path / 'launch' / 'b.launch.py'):
        new.write_text('')
        values.append(overlay_digest(layout))
    (package / 'package.xml').write_text('<package format="3"/>')
    values.append(overlay_digest(layout))
    assert len(set(values)) == 4


def test_only_dangling_links_are_removed(tmp_path):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'good').symlink_to(tmp_path / 'file')
    (tmp_path / 'bad').symlink_to(tmp_path / 'gone')
    assert remove_dangling_links(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['file', 'good']
    assert remove_dangling_links(tmp_path / 'absent') == 0
