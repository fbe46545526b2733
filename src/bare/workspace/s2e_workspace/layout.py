"""Where everything of a checkout lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OVERLAY_PACKAGES = (
    's2e_core',
    's2e_policy',
    'navbench_gs',
    's2e_training',
    's2e_teleop',
    's2e_nav',
    's2e_cli',
)
INTERFACE_PACKAGES = ('tf2_msgs', 'nav2_msgs')


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout."""

    root: Path
    """Top of the checkout."""

    @property
    def venv(self) -> Path:
        """The Python environment."""
        return self.root / '.venv'

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / 'bin' / 'python'

    @property
    def stamps(self) -> Path:
        """Digests of finished steps; they go when the environment goes."""
        return self.venv / '.s2e' / 'stamps'

    @property
    def logs(self) -> Path:
        """Output of pip and colcon."""
        return self.venv / '.s2e' / 'log'

    @property
    def cache(self) -> Path:
        """Built wheels of the interface packages; survives a removed environment."""
        return self.root / '.cache'

    @property
    def bare(self) -> Path:
        """Packages that only a machine without a full ROS 2 needs."""
        return self.root / 'src' / 'bare'

    @property
    def install(self) -> Path:
        """The colcon overlay."""
        return self.root / 'install'

    @property
    def build(self) -> Path:
        """Build folder of the colcon overlay."""
        return self.root / 'build'

    def requirements(self, name: str) -> Path:
        """Return a file of pinned requirements."""
        return self.root / 'requirements' / f'{name}.txt'

    def overlay_packages(self) -> list[Path]:
        """Return the folders of our ament_python packages, the stand-in included."""
        found = [self.root / 'src' / name for name in OVERLAY_PACKAGES]
        found.append(self.bare / 's2e_bare')
        return [folder for folder in found if (folder / 'package.xml').is_file()]
