"""Makes `.venv` usable from any folder: search paths at start-up, and the commands in its bin."""

from __future__ import annotations

import sys
from pathlib import Path

from s2e_workspace.layout import Layout

# Sorts before ros_wheels_bootstrapper.pth, which needs what this sets.
PTH_NAME = '00_s2e_prefix.pth'
MODULE_NAME = '_s2e_prefix.py'
COMMANDS = {'s2e': 's2e_cli.main', 'ros2': 's2e_bare.ros2.main'}


def site_packages(layout: Layout) -> Path:
    """Return the environment's site-packages."""
    version = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    return layout.venv / 'lib' / version / 'site-packages'


def install_activation(layout: Layout) -> None:
    """Write the start-up file and the commands; touches only what differs."""
    packages = site_packages(layout)
    source = Path(__file__).with_name('prefix.py').read_text(encoding='utf-8')
    _write(packages / MODULE_NAME, source)
    line = f'import _s2e_prefix; _s2e_prefix.activate({str(layout.root)!r})\n'
    _write(packages / PTH_NAME, line)
    for command, module in COMMANDS.items():
        # Guarded, because spawned worker processes import the script that started them.
        text = (
            f'#!{layout.python}\nimport sys\n\nfrom {module} import main\n\n'
            "if __name__ == '__main__':\n    sys.exit(main())\n"
        )
        path = layout.venv / 'bin' / command
        _write(path, text)
        path.chmod(0o755)


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding='utf-8') != text:
        path.write_text(text, encoding='utf-8')
