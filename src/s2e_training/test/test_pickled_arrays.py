"""Pickles of poses are read; pickles that do something are refused and do nothing."""

import contextlib
import os
import pickle
import pickletools
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_training.data.sources.gnm import read_gnm
from s2e_training.data.sources.options import SourceOptions
from s2e_training.data.sources.pickled_arrays import read_pickled_arrays
from s2e_training.errors import TrainingError


class Run:
    """Calls something when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def write(tmp_path, data):
    path = tmp_path / 'traj_data.pkl'
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol_are_read(tmp_path, protocol):
    data = {
        'position': np.random.default_rng(0).random((5, 2)), 'yaw': np.arange(5, dtype='f4'),
        'turned': np.asfortranarray(np.arange(6.0).reshape(3, 2)), 'one': np.float64(3.5),
        'big': np.arange(3, dtype='>i4'), 'none': np.zeros((0, 2)), 'list': [1.5, 2],
    }
    found = read_pickled_arrays(write(tmp_path, pickle.dumps(data, protocol)))
    assert set(found) == set(data)
    for name, value in data.items():
        np.testing.assert_array_equal(found[name], value)


def test_numpy_1_and_2_name_their_modules_differently(tmp_path):
    new = pickle.dumps({'yaw': np.arange(3.0)}, 2)
    assert b'numpy._core' in new or b'numpy.core' in new
    old = new.replace(b'numpy._core', b'numpy.core')
    np.testing.assert_array_equal(
        read_pickled_arrays(write(tmp_path, old))['yaw'], [0.0, 1.0, 2.0]
    )


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('kind', ['system', 'eval', 'open', 'array of objects', 'memmap', 'deep'])
def test_a_malicious_pickle_does_nothing(tmp_path, protocol, kind):
    mark = tmp_path / 'ran'
    payload = {
        'system': Run(os.system, f'touch {mark}'),
        'eval': Run(eval, f'open({str(mark)!r}, "w")'),
        'open': Run(open, str(mark), 'w'),
        'array of objects': np.array([Run(os.system, f'touch {mark}')], dtype=object),
        'memmap': Run(np.memmap, str(mark), 'u1', 'w+', 0, (4,)),
        'deep': {'a': [(Run(os.mkdir, str(mark)),)]},
    }[kind]
    data = pickle.dumps({'position': payload, 'yaw': np.zeros(1)}, protocol)
    with pytest.raises(TrainingError, match=r'refused|numbers'):
        read_pickled_arrays(write(tmp_path, data))
    assert not mark.exists()


@pytest.mark.parametrize(('data', 'text'), [
    # The old INST and OBJ instructions call a class without REDUCE.
    (b"(S'touch ran'\nios\nsystem\n.", 'instruction INST'),
    (b"(cos\nsystem\nS'touch ran'\no.", 'instruction OBJ'),
    (b'\x80\x02cos\nsystem\nU\x09touch ran\x85\x81.', 'instruction NEWOBJ'),
    (b'\x80\x02\x82\x01.', 'instruction EXT1'),
    (b'\x80\x02Pabc\n.', 'instruction PERSID'),
    # A memo index of 2^31 makes the C unpickler allocate 16 GB.
    (b'\x80\x02}r\xff\xff\xff\x7f.', 'memory wildly'),
    (b'p999999999\n.', 'memory wildly'),
    # 4 GB of bytes are announced, none follow.
    (b'\x80\x03B\xff\xff\xff\xff.', 'no readable pickle'),
    (b'\x80\x04]\x94.', 'must hold a dictionary'),
    (b'', 'no readable pickle'),
    (b'\x80\x02}.'[:-1], 'no readable pickle'),
    # Dotted names reach attributes: numpy.dtype.__class__.
    (b'\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93.', 'refused'),
    (b'\x80\x02cnumpy\ndtype\n}U\x04_runK\x01sb.', 'refused'),
])
def test_hostile_programs_are_refused(tmp_path, monkeypatch, data, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingError, match=text):
        read_pickled_arrays(write(tmp_path, data))
    assert not (tmp_path / 'ran').exists()


def test_an_array_may_not_claim_more_than_its_bytes(tmp_path):
    good = pickle.dumps({'yaw': np.zeros(3)}, 2)
    bad = good.replace(b'K\x03\x85', b'J' + struct.pack('<i', 2**31 - 1) + b'\x85')
    assert bad != good
    with pytest.raises(TrainingError, match='array'):
        read_pickled_arrays(write(tmp_path, bad))


def test_shared_lists_do_not_multiply(tmp_path):
    """Eight levels of a hundred references each are 10^16 values in 3 KB."""
    level = [0.0]
    for _ in range(8):
        level = [level] * 100
    with pytest.raises(TrainingError, match=r'nested|values'):
        read_pickled_arrays(write(tmp_path, pickle.dumps({'a': level}, 2)))


@given(st.binary(max_size=80), st.integers(0, 400))
def test_damage_gives_one_kind_of_error(tmp_path_factory, noise, place):
    data = bytearray(pickle.dumps({'position': np.zeros((4, 2)), 'yaw': np.zeros(4)}, 2))
    data[place:place + len(noise)] = noise
    path = write(tmp_path_factory.mktemp('p'), bytes(data))
    with contextlib.suppress(TrainingError):
        assert isinstance(read_pickled_arrays(path), dict)


def test_a_gnm_folder_with_a_malicious_pickle_is_refused(tmp_path):
    mark = Path(tmp_path / 'ran')
    write(tmp_path, pickle.dumps(Run(os.system, f'touch {mark}')))
    with pytest.raises(TrainingError, match=r'system, which is refused; nothing was run'):
        read_gnm(tmp_path, SourceOptions())
    assert not mark.exists()


def test_the_payloads_would_have_run(tmp_path):
    """What the tests above refuse is real: the plain unpickler runs it."""
    mark = tmp_path / 'ran'
    data = pickle.dumps(Run(os.mkdir, str(mark)))
    assert any(op.name == 'REDUCE' for op, _, _ in pickletools.genops(data))
    pickle.loads(data)
    assert mark.exists()
