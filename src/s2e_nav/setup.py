"""Package s2e_nav for ament_python: nodes, and the top-level launch, config and models folders.

`launch`, `config` and `models` in this folder are links to the top-level folders. Paths that climb
out of the package (`../../launch`) would be written outside the build tree by a symlink install.
"""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 's2e_nav'
HERE = Path(__file__).resolve().parent


def installed(folder, suffixes, required):
    """Return the data_files entries of every file below a folder.

    Args:
        folder: Folder beside this file; installed under share/s2e_nav with the same name.
        suffixes: File name endings to install; an empty one takes every file.
        required: Whether an empty result is an error.

    Raises:
        FileNotFoundError: If nothing matched; setuptools would install an empty folder in silence.
    """
    root = HERE / folder
    found = {}
    for path in sorted(root.rglob('*')):
        relative = path.relative_to(HERE)
        if path.is_file() and path.name.endswith(suffixes) and '__pycache__' not in path.parts:
            found.setdefault(f'share/{PACKAGE}/{relative.parent}', []).append(str(relative))
    if required and not found:
        raise FileNotFoundError(
            f'{PACKAGE}: no {" or ".join(suffixes)} file in {folder}/ ({root.resolve()}); '
            'the package needs the whole repository, not src/ alone'
        )
    return list(found.items())


def nodes():
    """Return one executable for each module of s2e_nav/nodes that has a `main` function."""
    scripts = []
    for path in sorted((HERE / PACKAGE / 'nodes').glob('[a-z]*.py')):
        if 'def main(' in path.read_text(encoding='utf-8'):
            scripts.append(f'{path.stem} = {PACKAGE}.nodes.{path.stem}:main')
    return scripts


setup(
    name=PACKAGE,
    version='0.1.0',
    description='ROS 2 nodes, launch files and configuration of s2e_nav',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        *installed('launch', ('.launch.py',), required=True),
        *installed('config', ('.yaml', '.xml', '.rviz', '.json'), required=True),
        *installed('models', ('',), required=True),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=False,
    maintainer='s2e_nav maintainers',
    maintainer_email='maintainers@s2e-nav.example.org',
    license='Apache-2.0',
    entry_points={'console_scripts': nodes()},
)
