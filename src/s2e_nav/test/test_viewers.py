"""RViz and Foxglove: what is started, what is refused, and that the layouts name our topics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from s2e_core.paths import find_config
from s2e_nav.errors import StartError
from s2e_nav.viewers import viewers

TOPICS = {
    's2e/modes', 's2e/trajectory', 's2e/goal', 's2e/gate', 'odom', 'scan', 'cmd_vel', 'goal_pose',
    'camera/image_raw', 'camera/image_raw/compressed', 'camera/camera_info', 'diagnostics',
}
"""Topics that a viewer may show."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A prefix in which both packages are installed."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    for package in ('rviz2', 'foxglove_bridge'):
        (index / package).touch()
    return {'AMENT_PREFIX_PATH': f'/nowhere:{tmp_path}'}


def test_both_are_started_with_their_layouts(environment: dict[str, str]) -> None:
    rviz, foxglove = viewers('rviz, foxglove', True, environment)
    assert (rviz.package, foxglove.package) == ('rviz2', 'foxglove_bridge')
    assert Path(rviz.arguments[1]).is_file()
    assert 'use_sim_time:=true' in rviz.arguments
    # The bridge is not open to the network.
    assert 'address:=127.0.0.1' in foxglove.arguments
    assert str(find_config('foxglove/s2e.json')) in foxglove.hint
    assert viewers('', True, environment) == []


def test_what_is_unknown_or_absent_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(StartError, match="among rviz, foxglove, got 'gazebo'"):
        viewers('gazebo', False, environment)
    with pytest.raises(StartError, match='needs the package rviz2'):
        viewers('rviz', False, {})


def values_of(tree: Any, name: str) -> list[str]:
    """Collect the strings under a key, however deep."""
    if isinstance(tree, list):
        return [text for item in tree for text in values_of(item, name)]
    if not isinstance(tree, dict):
        return []
    found = [tree[name]] if isinstance(tree.get(name), str) else []
    return found + [text for item in tree.values() for text in values_of(item, name)]


def test_rviz_shows_topics_that_exist() -> None:
    layout = yaml.safe_load(find_config('rviz/s2e.rviz').read_text())
    manager = layout['Visualization Manager']
    parts = manager['Displays'] + manager['Tools']
    topics = {part['Topic']['Value'] for part in parts if 'Topic' in part}
    assert len(topics) >= 7
    assert topics <= TOPICS
    assert manager['Global Options']['Fixed Frame'] == 'odom'


def test_foxglove_shows_topics_that_exist_in_panels_that_exist() -> None:
    layout = json.loads(find_config('foxglove/s2e.json').read_text())
    panels = layout['configById']
    topics = set(panels['3D!drive']['topics'])
    for key in ('imageTopic', 'calibrationTopic', 'topicPath', 'topicToRender', 'poseTopic'):
        topics |= set(values_of(panels, key))
    topics |= {path['value'].split('.')[0] for path in panels['Plot!speed']['paths']}
    assert {topic.removeprefix('/') for topic in topics} <= TOPICS
    assert set(leaves(layout['layout'])) == set(panels)


def leaves(node: Any) -> list[str]:
    """Name the panels of a layout tree."""
    if isinstance(node, str):
        return [node]
    return leaves(node['first']) + leaves(node['second'])
