"""Package s2e_teleop for ament_python."""

from setuptools import find_packages, setup

PACKAGE = 's2e_teleop'

setup(
    name=PACKAGE,
    version='0.1.0',
    description='Remote driving: protocol, dead-man, links, web server and page',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    include_package_data=True,
    package_data={PACKAGE: ['py.typed', 'page/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=False,
    maintainer='s2e_nav maintainers',
    maintainer_email='maintainers@s2e-nav.example.org',
    license='Apache-2.0',
)
