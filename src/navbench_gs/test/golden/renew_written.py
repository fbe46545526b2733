"""Write golden/written.json: what another tool reads from the samples that our tests write.

npm install @playcanvas/splat-transform@2.7.1
python src/navbench_gs/test/golden/renew_written.py node_modules/.bin/splat-transform
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / 'support'))

from splat_samples import summary, written_files  # noqa: E402


def read_plain_ply(path: Path) -> dict[str, list[float] | int]:
    """Summarise a .ply of float32 columns, without our readers."""
    head, _, body = path.read_bytes().partition(b'end_header\n')
    names = [line.split()[2] for line in head.decode().split('\n') if line.startswith('property')]
    table = np.frombuffer(body, '<f4').reshape(-1, len(names)).astype(np.float64)
    columns = {name: table[:, at] for at, name in enumerate(names)}

    def take(*keys: str) -> np.ndarray:
        return np.stack([columns[key] for key in keys], axis=1)

    rest = sum(name.startswith('f_rest_') for name in names)
    sh = np.empty((len(table), 1 + rest // 3, 3))
    sh[:, 0] = take('f_dc_0', 'f_dc_1', 'f_dc_2')
    if rest:
        flat = take(*[f'f_rest_{k}' for k in range(rest)])
        sh[:, 1:] = flat.reshape(len(table), 3, rest // 3).swapaxes(1, 2)
    return summary(
        take('x', 'y', 'z'),
        take('rot_0', 'rot_1', 'rot_2', 'rot_3'),
        np.exp(take('scale_0', 'scale_1', 'scale_2')),
        1.0 / (1.0 + np.exp(-columns['opacity'])),
        sh,
    )


def main() -> None:
    """Convert every sample to .ply with the tool that the first argument names."""
    tool = Path(sys.argv[1]).resolve()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in written_files(Path(folder)).items():
            plain = Path(folder) / 'plain.ply'
            subprocess.run([tool, '-w', path, plain], check=True, capture_output=True)
            found[name] = read_plain_ply(plain)
    made_with = '@playcanvas/splat-transform 2.7.1: splat-transform -w INPUT OUTPUT.ply'
    content = {'made_with': made_with, 'files': found}
    (HERE / 'written.json').write_text(json.dumps(content, indent=None) + '\n')


if __name__ == '__main__':
    main()
