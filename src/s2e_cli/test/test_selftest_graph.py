"""What the self-test concludes from viewers, drivers, Nav2 and Docker."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from websockets.sync.server import ServerConnection, serve

from s2e_cli.doctor import selftest_docker, selftest_graph, selftest_sensors
from s2e_core.paths import find_config

ROOT = Path(__file__).resolve().parents[3]
TOPICS = ('/s2e/gate', '/odom')


@pytest.fixture
def bridge() -> Iterator[int]:
    """A bridge that says who it is, then offers one topic and, later, another; its port."""
    def speak(connection: ServerConnection) -> None:
        connection.send(json.dumps({'op': 'serverInfo', 'name': 'bridge'}))
        for topic in TOPICS:
            connection.send(json.dumps({'op': 'advertise', 'channels': [{'topic': topic}]}))

    with serve(speak, '127.0.0.1', 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.socket.getsockname()[1])
        server.shutdown()


def test_a_bridge_that_offers_all_topics_is_fine(bridge: int) -> None:
    assert selftest_graph.advertised(bridge, TOPICS, 20.0) == ''


def test_what_a_bridge_does_not_offer_is_named(bridge: int) -> None:
    said = selftest_graph.advertised(bridge, (*TOPICS, '/scan'), 1.5)
    assert 'does not offer /scan' in said and '/odom' not in said


def test_a_bridge_that_is_not_there_did_not_answer() -> None:
    assert selftest_graph.advertised(9, TOPICS, 0.5).startswith('it did not answer')


@pytest.mark.skipif(bool(os.environ.get('ROS_DISTRO')), reason='a full ROS 2 may have them')
@pytest.mark.parametrize(('trial', 'package'), [
    ('try_rviz', 'rviz2'), ('try_foxglove', 'foxglove_bridge'),
    ('try_nav2_chain', 'nav2_collision_monitor'), ('try_nav2_manager', 'nav2_lifecycle_manager'),
])
def test_what_is_not_installed_is_skipped_by_its_name(trial: str, package: str) -> None:
    check = getattr(selftest_graph, trial)('it')
    assert check.level == 'skip' and package in check.detail


def test_the_chain_is_the_one_that_the_document_shows() -> None:
    text = (ROOT / 'docs/robot.md').read_text(encoding='utf-8')
    shown = text.split('```yaml\n# chain.yaml\n')[1].split('```')[0]
    committed = yaml.safe_load(find_config('nodes/nav2_chain.yaml').read_text())
    assert yaml.safe_load(shown) == committed


def test_drivers_are_judged_by_what_could_be_read() -> None:
    sensor_check = pytest.importorskip('s2e_nav.nodes.sensor_check', reason='ROS missing: rclpy')

    def level(came: int, usable: int, problem: str = '') -> tuple[str, str]:
        heard = sensor_check.Heard('scan', object, None, came, usable, problem)
        check = selftest_sensors.judge(heard)
        return check.level, check.detail

    assert level(0, 0)[0] == 'skip'
    assert level(60, 58) == ('ok', '58 of 60 messages can be used')
    assert level(60, 0)[0] == 'fail' and 'static transform' in level(60, 0)[1]
    assert '16UC1' in level(60, 0, 'encoding 16UC1')[1]


def test_without_a_checkout_no_service_is_looked_at() -> None:
    [check] = selftest_docker.checks(None, build=True)
    assert check.level == 'skip'


def test_a_docker_without_compose_or_daemon_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / 'docker'
    docker.write_text('#!/bin/sh\necho "nothing here" >&2; exit 1\n')
    docker.chmod(0o755)
    monkeypatch.setattr('shutil.which', lambda name: str(docker))
    assert {c.level for c in selftest_docker.checks(ROOT, build=True)} == {'skip'}


def test_services_are_looked_at_and_an_image_is_built_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for docker: it knows two files, builds, and its doctor fails."""
    log = tmp_path / 'log'
    docker = tmp_path / 'docker'
    docker.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n'
        'case "$*" in *gpu*) echo "no such driver" >&2; exit 1;; run*) echo "a hash differs"; '
        'exit 1;; esac\n'
    )
    docker.chmod(0o755)
    monkeypatch.setattr('shutil.which', lambda name: str(docker) if name == 'docker' else None)
    found = {c.name: (c.level, c.detail) for c in selftest_docker.checks(ROOT, build=True)}
    assert found['compose robot'][0] == found['compose sim'][0] == 'ok'
    assert found['compose robot + gpu'] == ('fail', 'docker failed: no such driver')
    assert found['Docker image cpu'] == ('fail', 'built; in it: a hash differs')
    assert found['Docker image gpu'][0] == 'skip'
    built = [line for line in log.read_text().splitlines() if line.startswith('build')]
    assert len(built) == 1 and '--target cpu' in built[0]
