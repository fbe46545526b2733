"""ROS 2: a full installation or the wheels, the middleware, and the transport for raw images."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from s2e_cli.doctor.check import Check, version_of

GROUP = 'ros'
TRANSPORT = 'transport'
MESSAGES = (
    'diagnostic_msgs',
    'geometry_msgs',
    'lifecycle_msgs',
    'nav2_msgs',
    'nav_msgs',
    'rosgraph_msgs',
    'sensor_msgs',
    'std_msgs',
    'std_srvs',
    'tf2_msgs',
    'visualization_msgs',
)
# Each participant maps a segment of 32 MiB and its ports (config/fastdds.xml); room for seven.
SHARED_MEMORY_WANTED = 7 * 35 * 2**20
SETUP = 'run `make setup`, or source /opt/ros/<distribution>/setup.bash'


def checks() -> Iterator[Check]:
    """Look for rclpy, the middleware, the messages and launch."""
    if not _present('rclpy'):
        yield Check(GROUP, 'rclpy', 'fail', 'not importable', SETUP)
        return
    full = is_full()
    distribution = os.environ.get('ROS_DISTRO')
    origin = f'ROS 2 {distribution}' if distribution else 'Python wheels (ROS 2 Kilted)'
    version = version_of('ros-rclpy', 'rclpy') or 'version unknown'
    yield Check(GROUP, 'rclpy', 'ok', f'{version} from {origin}')
    yield _middleware()
    missing = [name for name in MESSAGES if not _present(name)]
    if missing:
        yield Check(GROUP, 'messages', 'fail', f'missing: {", ".join(missing)}', SETUP)
    else:
        yield Check(GROUP, 'messages', 'ok', f'{len(MESSAGES)} packages')
    yield _launch(full)
    yield _command('ros2')
    yield _domain(os.environ)


def transport_checks(
    environment: Mapping[str, str] | None = None, shared_memory: Path = Path('/dev/shm')
) -> Iterator[Check]:
    """Look at what raw images need to arrive.

    Args:
        environment: Variables of the process; its own when left out.
        shared_memory: Where the middleware keeps its segments.
    """
    env = os.environ if environment is None else environment
    profile = env.get('FASTDDS_DEFAULT_PROFILES_FILE') or env.get('FASTRTPS_DEFAULT_PROFILES_FILE')
    builtin = env.get('FASTDDS_BUILTIN_TRANSPORTS')
    lost = 'raw 640x480 images will be lost'
    fix = 'export FASTDDS_DEFAULT_PROFILES_FILE=<share>/s2e_nav/config/fastdds.xml'
    if profile and Path(profile).is_file():
        yield Check(TRANSPORT, 'profile', 'ok', profile)
    elif profile:
        yield Check(TRANSPORT, 'profile', 'fail', f'{profile} is missing', fix)
    elif builtin:
        yield Check(TRANSPORT, 'profile', 'ok', f'FASTDDS_BUILTIN_TRANSPORTS={builtin}')
    elif _rmw(env) == 'rmw_fastrtps_cpp':
        yield Check(TRANSPORT, 'profile', 'warn', f'none set: {lost}', fix)
    else:
        yield Check(TRANSPORT, 'profile', 'ok', f'not needed by {_rmw(env)}')
    yield _shared_memory(shared_memory)


def _shared_memory(folder: Path) -> Check:
    if not folder.is_dir():
        return Check(TRANSPORT, str(folder), 'warn', 'absent', 'mount a tmpfs there')
    usage = shutil.disk_usage(folder)
    detail = f'{usage.free / 2**20:.0f} of {usage.total / 2**20:.0f} MiB free'
    if usage.free < SHARED_MEMORY_WANTED:
        need = SHARED_MEMORY_WANTED // 2**20
        return Check(
            TRANSPORT,
            str(folder),
            'warn',
            detail,
            f'{need} MiB wanted (docker run --shm-size=512m); no node runs? rm {folder}/fastdds_*',
        )
    return Check(TRANSPORT, str(folder), 'ok', detail)


def _middleware() -> Check:
    from rclpy.utilities import get_rmw_implementation_identifier

    wanted = os.environ.get('RMW_IMPLEMENTATION')
    try:
        name = get_rmw_implementation_identifier()
    except Exception as error:
        text = str(error).splitlines()[0]
        return Check(GROUP, 'rmw', 'fail', text, f'unset RMW_IMPLEMENTATION (now {wanted})')
    version = version_of(f'ros-{name.replace("_", "-")}', name)
    return Check(GROUP, 'rmw', 'ok', f'{name} {version}' if version else name)


def _launch(full: bool) -> Check:
    if full:
        return Check(GROUP, 'launch', 'ok', 'the real launch and launch_ros')
    if _present('s2e_bare'):
        return Check(GROUP, 'launch', 'ok', 'stand-in of this workspace (launch_ros is absent)')
    return Check(GROUP, 'launch', 'fail', 'neither launch_ros nor the stand-in', SETUP)


def _command(name: str) -> Check:
    path = shutil.which(name)
    if path:
        return Check(GROUP, f'{name} command', 'ok', path)
    return Check(GROUP, f'{name} command', 'warn', 'not on PATH', '. .venv/bin/activate')


def _domain(env: Mapping[str, str]) -> Check:
    domain = env.get('ROS_DOMAIN_ID', '')
    reach = env.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    detail = f'domain {domain or "0"}, discovery {reach}'
    if domain and not (domain.isdigit() and int(domain) <= 101):
        return Check(GROUP, 'domain', 'fail', detail, 'ROS_DOMAIN_ID must be 0 to 101 on Linux')
    return Check(GROUP, 'domain', 'ok', detail)


def _rmw(env: Mapping[str, str]) -> str:
    return env.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'


def is_full() -> bool:
    """Whether `launch` and `launch_ros` are the real ones."""
    spec = importlib.util.find_spec('launch_ros') if _present('launch_ros') else None
    return spec is not None and 's2e_bare' not in (spec.origin or '')


def _present(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
