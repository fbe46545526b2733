"""Where configuration and models are found, without absolute paths.

Searched in order: ``S2E_HOME``, ``share/s2e_nav`` of each prefix in ``AMENT_PREFIX_PATH``, and
the source tree this file lies in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from s2e_core.errors import ConfigError


def resource_roots(environment: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Yield every folder that may hold ``config/`` and ``models/``, best first.

    Args:
        environment: Environment variables; the process's own when left out.
    """
    env = os.environ if environment is None else environment
    if env.get('S2E_HOME'):
        yield Path(env['S2E_HOME'])
    for prefix in filter(None, env.get('AMENT_PREFIX_PATH', '').split(os.pathsep)):
        yield Path(prefix) / 'share' / 's2e_nav'
    for parent in Path(__file__).resolve().parents:
        if (parent / 'config' / 'robots').is_dir() and (parent / 'src' / 's2e_core').is_dir():
            yield parent


def find_resource(relative: str, environment: Mapping[str, str] | None = None) -> Path:
    """Find a file or folder such as ``config/robots/coco.yaml``.

    Raises:
        ConfigError: Naming every folder that was searched.
    """
    roots = list(resource_roots(environment))
    for root in roots:
        if (root / relative).exists():
            return root / relative
    searched = ', '.join(str(root) for root in roots) or 'no folder (set S2E_HOME)'
    raise ConfigError(f'{relative} not found; searched {searched}')


def find_config(relative: str) -> Path:
    """Find ``config/<relative>``."""
    return find_resource(f'config/{relative}')


def find_model(name: str) -> Path:
    """Find a policy bundle by path or by its name under ``models/``.

    Raises:
        ConfigError: No such folder.
    """
    direct = Path(name).expanduser()
    if direct.is_dir():
        return direct
    if direct.is_absolute() or len(direct.parts) > 2:
        raise ConfigError(f'policy bundle {name} not found: no such folder')
    return find_resource(name if name.startswith('models/') else f'models/{name}')
