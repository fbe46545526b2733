"""Freed memory stays with the process, so that the next step need not ask for it again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from s2e_training.pretrain.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

torch.set_num_threads(1)
kept = keep_freed_memory() if sys.argv[1] == 'keep' else None
for _ in range(6):
    torch.zeros(64 * 2**18)
before = faults()
for _ in range(6):
    torch.zeros(64 * 2**18)
print(kept, faults() - before)
"""


def run(word: str) -> tuple[str, int]:
    command = [sys.executable, '-c', PROGRAM, word]
    kept, count = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    return kept, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='the C library is not glibc')
def test_blocks_are_used_again_instead_of_mapped_again() -> None:
    # Six blocks of 64 MB are 6 * 16384 pages, each a fault when it is mapped anew, as glibc does
    # with blocks over 32 MB.
    _, mapped = run('leave')
    kept, reused = run('keep')
    assert kept == 'True'
    assert mapped > 90_000
    assert reused < 0.75 * mapped  # while the heap grows, up to three were seen
