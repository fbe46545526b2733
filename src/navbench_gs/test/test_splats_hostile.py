"""Hostile .ply and SOG files, one by one: what each is refused for, in bounded memory."""

import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import load, save_ply, save_sog
from navbench_gs.splats.image_codec import encode_rgba, image_size


def _rewrite(path, edit):
    """Rewrite a bundle with its meta.json and members edited in place."""
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    meta = json.loads(members['meta.json'])
    edit(meta, members)
    members['meta.json'] = json.dumps(meta).encode()
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)


@pytest.mark.parametrize(
    ('edit', 'words'),
    [
        (lambda meta, _: meta.update(count=10**12), 'count must lie in 1..16000000'),
        (lambda meta, _: meta.update(count=41), 'must hold 41 pixels|must hold'),
        (lambda meta, _: meta.update(count=True), 'must be an integer'),
        (lambda meta, _: meta.update(version=3), 'version must be 2, got 3'),
        (lambda meta, _: meta['means'].update(maxs=[1e3, 0, 0]), r'stay within \+-17'),
        (lambda meta, _: meta['means'].update(mins=[float('nan')] * 3), 'finite'),
        (lambda meta, _: meta['scales']['codebook'].pop(), '256 finite numbers, got 255'),
        (lambda meta, _: meta['scales'].update(codebook=[99.0] * 256), 'scales must'),
        (lambda meta, _: meta['sh0'].update(files=['../a.webp']), 'must be in the archive'),
        (lambda meta, _: meta['quats'].update(files=[]), 'must name 1 images'),
        (lambda meta, _: meta.update(shN={'count': 1, 'bands': 9}), 'bands must be 1, 2 or 3'),
        (
            lambda meta, files: files.update({'quats.webp': files['sh0.webp']}),
            r'alpha must be 252\.\.255',
        ),
        (
            lambda meta, files: files.update({'scales.webp': b'\0' * 100}),
            'must be a WebP or PNG image',
        ),
    ],
)
def test_lies_in_a_bundle(tmp_path, random_cloud, edit, words):
    path = tmp_path / 'lie.sog'
    save_sog(path, random_cloud(32))
    _rewrite(path, edit)
    with pytest.raises(SplatFormatError, match=words):
        load(path)


def test_a_huge_image_is_refused_before_it_is_unpacked(tmp_path, random_cloud):
    # 4000 x 4000 equal pixels compress to a few kB and would unpack to 64 MB.
    path = tmp_path / 'bomb.sog'
    save_sog(path, random_cloud(32))
    bomb = encode_rgba(np.full((4000, 4000, 4), 255, dtype=np.uint8))
    assert image_size(bomb, 'bomb') == (4000, 4000)
    _rewrite(path, lambda _, files: files.update({'means_l.webp': bomb}))
    tracemalloc.start()
    with pytest.raises(SplatFormatError, match=r'at most \d+ pixels, got 4000 x 4000'):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_zip_bomb_stops_at_the_limit(tmp_path, random_cloud):
    path = tmp_path / 'bomb.sog'
    save_sog(path, random_cloud(32))
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    members['meta.json'] = b' ' * 50_000_000 + members['meta.json']
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    assert path.stat().st_size < 100_000
    with pytest.raises(SplatFormatError, match='unpack to at most 4194304 bytes'):
        load(path)


def test_an_image_may_unpack_to_what_its_gaussians_need_only(tmp_path, random_cloud):
    # 32 gaussians: at most 2 * 32 + 65536 pixels of 8 bytes, and 1 MiB: 1,573,376 bytes.
    path = tmp_path / 'bomb.sog'
    save_sog(path, random_cloud(32))
    _rewrite(path, lambda _, files: files.update({'quats.webp': bytes(40_000_000)}))
    tracemalloc.start()
    with pytest.raises(SplatFormatError, match=r'quats\.webp: .* at most 1573376 bytes'):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize('name', ['x' * 300 + '.webp', 'x' * 600, '\ud800.webp', 'a/' * 50, '.'])
def test_file_names_that_no_system_can_hold(tmp_path, random_cloud, name):
    save_sog(tmp_path / 'a.sog', random_cloud(32))
    _rewrite(tmp_path / 'a.sog', lambda meta, _: meta['sh0'].update(files=[name]))
    with zipfile.ZipFile(tmp_path / 'a.sog') as bundle:
        bundle.extractall(tmp_path / 'folder')
    for path in (tmp_path / 'a.sog', tmp_path / 'folder'):
        with pytest.raises(SplatFormatError, match='must'):
            load(path)


def test_messages_stay_short(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(32))
    data = (tmp_path / 'a.sog').read_bytes()
    # The local header of quats.webp, not the central one, gets a name of 3,000 bytes.
    at = data.index(b'quats.webp', data.index(b'PK\x03\x04', 3000))
    broken = bytearray(data)
    broken[at - 4 : at - 2] = struct.pack('<H', 3000)
    (tmp_path / 'a.sog').write_bytes(bytes(broken) + bytes(4000))
    with pytest.raises(SplatFormatError) as caught:
        load(tmp_path / 'a.sog')
    assert len(str(caught.value)) < 300


def test_a_zip_that_lies_about_its_size(tmp_path, random_cloud):
    path = tmp_path / 'lie.sog'
    save_sog(path, random_cloud(32))
    data = bytearray(path.read_bytes())
    # Central directory entry: uncompressed size at +24.
    entry = data.find(b'PK\x01\x02')
    data[entry + 24 : entry + 28] = struct.pack('<I', 10)
    path.write_bytes(data)
    with pytest.raises(SplatFormatError):
        load(path)


@pytest.mark.parametrize(
    ('header', 'words'),
    [
        (b'ply\nformat ascii 1.0\nelement vertex 1\nend_header\n', 'binary_little_endian'),
        (b'ply\n' + b'x' * 20_000, 'end_header must come within'),
        (
            (
                b'ply\nformat binary_little_endian 1.0\nelement vertex 99999999999999999999\n'
                b'property float x\nend_header\n'
            ),
            'vertex count must be sane',
        ),
        (
            (
                b'ply\nformat binary_little_endian 1.0\nelement vertex 15000000\n'
                b'property float x\nend_header\n'
            ),
            'vertex rows need 60000088 bytes',
        ),
        (
            (
                b'ply\nformat binary_little_endian 1.0\nelement vertex 2\n'
                b'property list uchar int x\nend_header\n'
            ),
            'must be scalars',
        ),
    ],
)
def test_lies_in_a_ply_header(tmp_path, header, words):
    path = tmp_path / 'lie.ply'
    path.write_bytes(header)
    with pytest.raises(SplatFormatError, match=words):
        load(path)


def test_a_claimed_length_is_checked_against_the_file(tmp_path, random_cloud):
    path = tmp_path / 'short.ply'
    save_ply(path, random_cloud(10))
    path.write_bytes(path.read_bytes().replace(b'vertex 10\n', b'vertex 9999999\n'))
    with pytest.raises(
        SplatFormatError, match=r'9999999 vertex rows need \d+ bytes, got \d+ bytes'
    ):
        load(path)


def test_what_is_no_splat_file_says_what_would_be(tmp_path):
    (tmp_path / 'note.txt').write_text('hello')
    with pytest.raises(SplatFormatError, match=r'must be one of .*SOG.*ply.* got header'):
        load(tmp_path / 'note.txt')
    with pytest.raises(SplatFormatError, match='got a folder without any of their files'):
        load(tmp_path)
    with pytest.raises(SplatFormatError, match='must exist'):
        load(tmp_path / 'absent.ply')
    with pytest.raises(SplatFormatError, match='must be readable, got'):
        load(tmp_path / ('x' * 300))
