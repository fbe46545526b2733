"""`s2e scene`: output, files and exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navbench_gs.splats import GaussianCloud, load, save_ply
from s2e_cli.main import main


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep made scenes out of the user's cache."""
    monkeypatch.setenv('S2E_CACHE', str(tmp_path / 'cache'))


def test_generate_then_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A generated bundle lies where asked, and info measures it; progress stays off stdout."""
    assert main(['scene', 'generate', '--seed', '1000', '--out', str(tmp_path / 'city')]) == 0
    assert (tmp_path / 'city' / 'scene.yaml').is_file()
    made = capsys.readouterr()
    assert 'gaussians' in made.out and '%' not in made.out and '60 %' in made.err
    assert main(['scene', 'info', str(tmp_path / 'city')]) == 0
    said = capsys.readouterr().out
    assert 'city-1000' in said and 'longest route' in said and 'Apache-2.0' in said


def test_doctor_writes_a_page_and_says_whether_a_robot_can_drive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A city is sound; a radius without sense is refused."""
    assert main(['scene', 'generate', '--seed', '1000', '--out', str(tmp_path / 'city')]) == 0
    page = tmp_path / 'pages' / 'city-1000-doctor.html'
    assert main(['scene', 'doctor', str(tmp_path / 'city'), '--out', str(page.parent)]) == 0
    said = capsys.readouterr().out
    assert 'longest route' in said and str(page) in said and 'bad ' not in said
    assert page.read_text(encoding='utf-8').count('data:image') >= 4
    assert main(['scene', 'doctor', str(tmp_path / 'city'), '--radius', '9']) == 2
    assert '0.05..2 m, got 9' in capsys.readouterr().err


def test_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A .ply becomes .sog, .splat and .ply again, with as many gaussians."""
    cloud = GaussianCloud(
        np.eye(3), np.tile([1.0, 0.0, 0.0, 0.0], (3, 1)), np.full((3, 3), 0.1), np.full(3, 0.5),
        np.zeros((3, 4, 3)),
    )
    save_ply(tmp_path / 'a.ply', cloud)
    for name, degree in (('b.sog', 1), ('c.splat', 0), ('d.ply', 1)):
        assert main(['scene', 'convert', str(tmp_path / 'a.ply'), str(tmp_path / name)]) == 0
        assert f'3 gaussians, SH degree {degree}' in capsys.readouterr().out
        assert load(tmp_path / name).sh_degree == degree


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['convert', 'a.ply', 'b.xyz'], 'must end in .ply, .sog, .splat, got b.xyz'),
        (['info', '/no/such/scene'], '/no/such/scene'),
        (['generate', '--seed', '-4', '--out', 'x'], '-4'),
        (['preview', 'city:1', '--views', '0'], '--views'),
        (['import', '/no/such/capture.ply', 'x'], 'capture.ply'),
        (['import', 'a.ply', 'x', '--scale', '-1'], 'scale'),
    ],
)
def test_errors_name_the_value(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one line that names what was wrong."""
    assert main(['scene', *words]) == 2
    assert message in capsys.readouterr().err


def test_object_is_listed_measured_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A catalogue lists its lines; a line in braces is tried as it stands; mistakes are named."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.2, -0.2, 0.0), (0.2, 0.2, 0.5), (4000, 3))
    cloud = GaussianCloud.from_rgb(
        points, np.tile([1.0, 0, 0, 0], (4000, 1)), np.full((4000, 3), 0.015), np.full(4000, 0.9),
        np.full((4000, 3), 0.4),
    )
    save_ply(tmp_path / 'cube.ply', cloud)
    catalogue = tmp_path / 'mine.yaml'
    catalogue.write_text('objects: {cube: {file: cube.ply, up: +z, height: 0.5, mass: 3}}\n')
    assert main(['scene', 'object', str(catalogue)]) == 0
    assert 'cube' in capsys.readouterr().out
    sheet = tmp_path / 'cube.png'
    assert main(['scene', 'object', f'{catalogue}:cube', '--out', str(sheet)]) == 0
    said = capsys.readouterr().out
    assert 'pushable' in said and 'layers' in said and sheet.stat().st_size > 1000
    line = f'{{file: {tmp_path / "cube.ply"}, up: +z, height: 1.0, mass: 30}}'
    assert main(['scene', 'object', line]) == 0
    assert 'stands fast' in capsys.readouterr().out
    assert main(['scene', 'object', f'{catalogue}:ball']) != 0
    assert "got 'ball'" in capsys.readouterr().err
