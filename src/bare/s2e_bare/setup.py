"""Packaging of the bare-machine stand-in; installs the `ros2` command."""

from __future__ import annotations

from setuptools import find_packages, setup

PACKAGE = 's2e_bare'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={PACKAGE: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools', 'PyYAML'],
    extras_require={'test': ['pytest']},
    zip_safe=False,
    maintainer='s2e_nav maintainers',
    maintainer_email='maintainers@s2e-nav.example.org',
    description='Stand-in for launch, launch_ros and ros2 on machines without a full ROS 2.',
    license='Apache-2.0',
    python_requires='>=3.10',
    entry_points={'console_scripts': ['ros2 = s2e_bare.ros2.main:main']},
)
