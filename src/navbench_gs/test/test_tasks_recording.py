"""Files of recorded tracks: every known form is read, everything else is one clear error."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navbench_gs.errors import TaskError
from navbench_gs.tasks.recording import STEP, clean, file_digest, load_recording
from navbench_gs.tasks.track_file import read_rows


def walk(person, first, count, start, velocity, every=10, seconds=0.4):
    """Return rows frame, id, x, y, vx, vy of someone who walks straight."""
    return [
        (first + k * every, person, start[0] + k * seconds * velocity[0],
         start[1] + k * seconds * velocity[1], *velocity) for k in range(count)
    ]


ROWS = walk(1, 0, 11, (0.0, 0.0), (1.0, 0.5)) + walk(7, 20, 6, (5.0, -2.0), (-1.2, 0.0))


def write(path, rows, line):
    path.write_text('\n'.join(line.format(*row) for row in rows) + '\n')
    return path


def load(path, **options):
    return load_recording(str(path), file_digest(path), **options)


@pytest.mark.parametrize('line', [
    '{0:.6e} {1:.6e} {2:.9e} 0.0 {3:.9e} {4:.9e} 0.0 {5:.9e}',
    '{0}\t{1}\t{2}\t{3}', '{0}.0, {1}.0, {2}, {3}', '{0};{1};{2};{3}', '"{0}","{1}","{2}","{3}"',
])
def test_every_form_gives_the_same_tracks(tmp_path, line):
    recording = load(write(tmp_path / 'tracks.txt', ROWS, line))
    assert recording.frame_time == pytest.approx(0.04)
    first, second = recording.tracks
    assert (first.person, first.first, second.person, second.first) == (1, 0, 7, 2)
    # 1 m/s and 0.5 m/s for 0.4 s a step.
    assert first.xy == pytest.approx(np.arange(11)[:, None] * [0.4, 0.2])
    assert second.xy[-1] == pytest.approx([5.0 - 5 * 0.48, -2.0])
    assert recording.steps == 11


def test_a_table_with_names_of_25_frames_a_second(tmp_path):
    """Columns in any order, vehicles left out, frame time by the velocities: here 30 a second."""
    rows = walk(3, 100, 91, (1.0, 2.0), (0.9, 0.0), 1, 1.0 / 30.0)
    path = write(tmp_path / 'a.csv', rows, '{1},{0},ped,{2},{3},{4},{5}')
    car = '9,100,veh,0,0,8,0\n9,101,veh,0.3,0,8,0\n'
    path.write_text('id,frame,label,x_est,y_est,vx_est,vy_est\n' + car + path.read_text())
    recording = load(path)
    assert 1.0 / recording.frame_time == pytest.approx(30.0)
    (track,) = recording.tracks
    # 3 s: points at 0, 0.4, ... 2.8. Inner ones are means over 0.4 s of a straight walk.
    assert len(track.xy) == 8
    assert track.xy[1:-1] == pytest.approx(
        np.stack([1.0 + 0.36 * np.arange(1, 7), np.full(6, 2.0)], 1))


def test_frame_time_without_velocities_is_told_by_the_pace(tmp_path):
    line = '{0} {1} {2} {3}'
    numbered = write(tmp_path / 'numbered.txt', walk(1, 0, 20, (0, 0), (1.2, 0.0), 1), line)
    assert load(numbered).frame_time == pytest.approx(0.4)
    video = write(tmp_path / 'video.txt', walk(1, 0, 200, (0, 0), (1.2, 0.0), 1, 0.04), line)
    assert load(video).frame_time == pytest.approx(0.04)
    # ETH: every sixth of 15 frames a second.
    eth = write(tmp_path / 'eth.txt', walk(1, 780, 20, (0, 0), (1.2, 0.0), 6), line)
    assert load(eth).frame_time == pytest.approx(0.4 / 6)
    assert load(eth, fps=30.0).frame_time == pytest.approx(1 / 30)


def test_a_pace_that_is_none_asks_for_the_frames_per_second(tmp_path):
    """Ten frames a second, which neither usual time fits: taken for 25 they run at 3 m/s."""
    rows = walk(1, 0, 60, (0, 0), (1.2, 0.0), 1, 0.1)
    path = write(tmp_path / 'ten.txt', rows, '{0} {1} {2} {3}')
    with pytest.raises(TaskError, match=r'slower than 2.2 m/s, got 3 with frames of 0.04 s'):
        load(path)
    recording = load(path, fps=10.0)
    # 59 steps of 0.1 s; the ends of a mean over 0.4 s lie 0.1 s inside: 14 steps less 2 x 0.12 m.
    assert recording.told().startswith('1 people in 1 tracks over 6 s, 10 frames a second, 1.1')


def test_a_device_that_never_ends_is_refused():
    with pytest.raises(TaskError, match='must be a file, got a device or pipe'):
        file_digest(Path('/dev/zero'))


def test_gaps_and_jumps_cut_a_track(tmp_path):
    rows = walk(1, 0, 6, (0, 0), (1, 0)) + walk(1, 150, 6, (6, 0), (1, 0))
    rows += walk(1, 210, 6, (60.0, 0), (1, 0))
    recording = load(write(tmp_path / 't.txt', rows, '{0} {1} {2} {3}'))
    # Unseen from frame 50 to 150, 4 s; from frame 200 to 210 it jumps by 52 m.
    assert [(t.first, len(t.xy)) for t in recording.tracks] == [(0, 6), (15, 6), (21, 6)]


@pytest.mark.parametrize(('text', 'message'), [
    ('', 'holds no row'),
    ('# nothing\n\n', 'holds no row'),
    (' ,;\n', "bad.txt:1: must have columns, got ',;'"),
    ('0 1 2\n', r'bad.txt:1: must have 4 columns .* got 3'),
    ('0 1 2 3\n10 1 2\n', 'bad.txt:2: must have 4 columns, got 3'),
    ('0 1 2 nan\n', 'bad.txt:1: y must be finite, got nan'),
    ('0 1 2 3\n10 1 inf 3\n', 'bad.txt:2: x must be finite, got inf'),
    ('0 1 2 3\n10 1 two 3\n', "bad.txt:2: x must be a number, got 'two'"),
    ('0 1 2 3\n10.5 1 2 3\n', 'bad.txt:2: frame must be a whole number, got 10.5'),
    ('0 1e300 2 3\n', 'bad.txt:1: id must be a whole number'),
    ('0 1 2e9 3\n', 'bad.txt:1: x and y must lie within'),
    ('10 1 2 3\n0 1 2 3\n', 'bad.txt:2: frames of person 1 must increase, got 0'),
    ('10 1 2 3\n10 1 2 4\n', 'bad.txt:2: frames of person 1 must increase, got 10'),
    ('time,id,x,y\n0,1,2,3\n', 'bad.txt:1: needs a column frame'),
    ('0 1 2 3\n', 'no track lasts'),
    ('0 1 0 0\n10 1 400 0\n20 1 800 0\n', 'must walk slower than 2.2 m/s, got 1e.03'),
    ('frame,id,x,y,x\n0,1,2,3,4\n', 'bad.txt:1: names column x more than once'),
    ('0 1 0 0\n10 1 0.0005 0\n20 1 0.001 0\n', r'someone must walk 0.5 m, got 0.001 m at most'),
])
def test_what_is_no_track_is_refused(tmp_path, text, message):
    path = tmp_path / 'bad.txt'
    path.write_text(text)
    with pytest.raises(TaskError, match=message):
        load(path)


def test_sizes_absence_and_another_file_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path / 't.txt', ROWS, '{0} {1} {2} {3}')
    with pytest.raises(TaskError, match='must have the sha256 000000000000, got'):
        load_recording(str(path), '0' * 64)
    with pytest.raises(TaskError, match='No such file'):
        file_digest(tmp_path / 'absent.txt')
    (tmp_path / 'bytes').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(TaskError, match='must be text'):
        load(tmp_path / 'bytes')
    monkeypatch.setattr('navbench_gs.tasks.track_file.MAX_ROWS', 10)
    with pytest.raises(TaskError, match='may have 10 rows'):
        read_rows(path)
    monkeypatch.setattr('navbench_gs.tasks.track_file.MAX_BYTES', 10)
    with pytest.raises(TaskError, match='may have 10 bytes'):
        file_digest(path)


def check(path):
    """Either there are tracks, all of them usable, or an error that names the file."""
    try:
        recording = clean(read_rows(path), str(path))
    except TaskError as error:
        said = str(error)
    else:
        assert all(len(track.xy) >= 2 for track in recording.tracks)
        assert all(np.isfinite(track.xy).all() for track in recording.tracks)
        return
    assert str(path) in said


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(
    st.integers(-3, 400), st.integers(0, 3), st.floats(width=32),
    st.sampled_from(['1', '-0.5', '2e3', 'x', '', '1e400'])), max_size=12),
    st.sampled_from([' ', ',', '\t']))
def test_any_text_gives_tracks_or_one_error(tmp_path_factory, rows, between):
    path = tmp_path_factory.mktemp('fuzz') / 't.txt'
    path.write_text('\n'.join(between.join(map(str, row)) for row in rows))
    check(path)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_tracks_or_one_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp('fuzz') / 't.txt'
    path.write_bytes(content)
    check(path)


@pytest.mark.parametrize(('name', 'people', 'rows'), [
    ('zara01', 148, 5024), ('students03', 428, 21846)])
def test_real_recordings(real_data, name, people, rows):
    path = real_data(f'pedestrians/UCY/{name}/obsmat.txt')
    read = read_rows(path)
    assert (len(np.unique(read.person)), len(read.frame)) == (people, rows)
    recording = load(path)
    # 25 frames a second, by the velocities in the file.
    assert recording.frame_time == pytest.approx(0.04, rel=1e-3)
    # A track of a single row is none.
    assert people - 2 <= len({track.person for track in recording.tracks}) <= people
    kept = sum(len(track.xy) for track in recording.tracks)
    assert rows - 3 <= kept <= 1.01 * rows
    # Where the file has a row, the track goes through it.
    one = recording.tracks[0]
    mine = read.person == one.person
    time = (read.frame[mine] - read.frame.min()) * 0.04
    assert math.isclose(time[0], one.first * STEP, abs_tol=1e-6)
    assert one.xy == pytest.approx(read.xy[mine], abs=1e-6)
