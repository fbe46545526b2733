"""Copied into the environment's site-packages and run at every start of its Python.

Makes the environment an ament prefix without activation: our packages, message libraries and the
transport profile for raw images are found from any folder. It must come before the ROS wheels'
bootstrapper, which starts the interpreter once more with the variables that are set here.
"""

import os
import site
import sys

_DONE = '_ROS_WHEELS_BOOTSTRAP_COMPLETE'


def activate(root: str) -> None:
    """Put the checkout's overlay and this environment on the search paths.

    Args:
        root: Top of the checkout.
    """
    overlay = os.path.join(root, 'install')
    libraries = os.environ.get('LD_LIBRARY_PATH', '').split(os.pathsep)
    if os.path.join(sys.prefix, 'lib') not in libraries:
        # Inherited from the Python of another environment, whose libraries are not ours.
        os.environ.pop(_DONE, None)
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    for prefix in (overlay, sys.prefix):
        if prefix not in prefixes and os.path.isdir(prefix):
            prefixes.append(prefix)
    os.environ['AMENT_PREFIX_PATH'] = os.pathsep.join(prefixes)
    profile = os.path.join(root, 'config', 'fastdds.xml')
    if os.path.isfile(profile):
        os.environ.setdefault('FASTDDS_DEFAULT_PROFILES_FILE', profile)
    version = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    packages = os.path.join(overlay, 'lib', version, 'site-packages')
    if os.path.isdir(packages):
        site.addsitedir(packages)
        _follow_links(packages)


def _follow_links(packages: str) -> None:
    """Add the folders that colcon's symlink install names in .egg-link files.

    colcon leaves them to its setup.bash; reading them here makes sourcing unnecessary.
    """
    for name in sorted(os.listdir(packages)):
        if not name.endswith('.egg-link'):
            continue
        with open(os.path.join(packages, name), encoding='utf-8') as stream:
            folder = stream.readline().strip()
        if os.path.isdir(folder) and folder not in sys.path:
            sys.path.append(folder)
