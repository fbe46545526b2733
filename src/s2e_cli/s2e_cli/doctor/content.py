"""Policy bundles with their hashes, configuration, scenes and data."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from s2e_cli.doctor.check import Check
from s2e_core.errors import S2EError
from s2e_core.paths import find_resource, resource_roots

MODELS = 'models'
DATA = 'data'
RESTORE = 'restore it: git checkout models, or export it again'


def model_checks() -> Iterator[Check]:
    """Verify every policy bundle: hashes, contract and the replay of its reference."""
    folders = list(bundle_folders())
    if not folders:
        searched = ', '.join(str(root / 'models') for root in resource_roots())
        yield Check(
            MODELS,
            'policy bundles',
            'fail',
            f'none in {searched or "any folder"}',
            'run `make setup` in the checkout, or set S2E_HOME to it',
        )
    for folder in folders:
        yield bundle_check(folder)


def bundle_folders() -> Iterator[Path]:
    """Yield each folder with a bundle.yaml below the first `models` folder that has one."""
    for root in resource_roots():
        found = sorted(path.parent for path in (root / 'models').glob('*/bundle.yaml'))
        if found:
            yield from found
            return


def bundle_check(folder: Path) -> Check:
    """Load one bundle, which verifies everything that it promises."""
    if importlib.util.find_spec('s2e_policy.bundle') is None:
        return Check(MODELS, folder.name, 'warn', 'present; no loader to verify it with')
    bundle = importlib.import_module('s2e_policy.bundle')
    try:
        loaded = bundle.load_bundle(folder)
    except S2EError as error:
        return Check(MODELS, folder.name, 'fail', str(error), RESTORE)
    spec = loaded.spec
    detail = f'verified; {spec.frames} frames of {spec.width}x{spec.height}'
    return Check(MODELS, folder.name, 'ok', detail)


def data_checks() -> Iterator[Check]:
    """Look for configuration, the scene cache and the data folder of the tests."""
    try:
        config = find_resource('config/robots')
        robots = sorted(path.stem for path in config.glob('*.yaml'))
        yield Check(DATA, 'robots', 'ok', f'{", ".join(robots)} in {config}')
    except S2EError as error:
        yield Check(DATA, 'robots', 'fail', str(error), 'run `make setup`, or set S2E_HOME')
    cache = cache_folder()
    if cache.is_dir():
        size = sum(path.stat().st_size for path in cache.rglob('*') if path.is_file())
        yield Check(DATA, 'scene cache', 'ok', f'{size / 2**20:.0f} MiB in {cache}')
    else:
        yield Check(DATA, 'scene cache', 'ok', f'empty; will be {cache}')
    data = os.environ.get('S2E_DATA')
    if data and not Path(data).is_dir():
        yield Check(DATA, 'test data', 'warn', f'S2E_DATA={data} is no folder', 'unset S2E_DATA')
    elif data:
        yield Check(DATA, 'test data', 'ok', data)
    else:
        yield Check(DATA, 'test data', 'ok', 'S2E_DATA is not set; tests on real data may skip')


def cache_folder() -> Path:
    """Return where imported and generated scenes are kept."""
    if os.environ.get('S2E_CACHE'):
        return Path(os.environ['S2E_CACHE'])
    base = os.environ.get('XDG_CACHE_HOME') or str(Path.home() / '.cache')
    return Path(base) / 's2e'
