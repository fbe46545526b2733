"""The velocity's way out: who else sends on the topic, and who listens to another kind of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from s2e_nav.gate.output import VelocityOutput

STAMPED, PLAIN = 'geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/Twist'


class Graph:
    """A node that sees what the test says is there."""

    def __init__(self, listeners=(), publishers=()) -> None:
        self.errors: list[str] = []
        self._listeners = [endpoint(*item) for item in listeners]
        self._publishers = [endpoint(*item) for item in publishers]

    def create_publisher(self, kind, topic, qos):
        return None

    def get_fully_qualified_name(self):
        return '/r1/gate'

    def get_subscriptions_info_by_topic(self, topic):
        return self._listeners

    def get_publishers_info_by_topic(self, topic):
        return self._publishers

    def get_logger(self):
        return SimpleNamespace(error=lambda text, **options: self.errors.append(text))


def endpoint(name, kind=STAMPED, space='/r1'):
    return SimpleNamespace(node_name=name, node_namespace=space, topic_type=kind)


@pytest.mark.parametrize(('stamped', 'listeners', 'named'), [
    (True, [('base', STAMPED)], []),
    (True, [('base', PLAIN)], ['/r1/base']),
    # A recorder hears what is sent; the base still does not.
    (True, [('recorder', STAMPED), ('base', PLAIN)], ['/r1/base']),
    (False, [('incidents', PLAIN), ('base', STAMPED)], ['/r1/base']),
    # A base that takes both kinds is served.
    (True, [('base', PLAIN), ('base', STAMPED)], []),
    # The same name on another robot is another node.
    (True, [('base', PLAIN, '/'), ('base', STAMPED)], ['/base']),
    (True, [], []),
])
def test_a_base_that_listens_to_the_other_kind_is_named_loudly(stamped, listeners, named):
    graph = Graph(listeners=listeners)
    VelocityOutput(graph, stamped).warn_about_other_type()
    assert len(graph.errors) == len(named)
    for name, text in zip(named, graph.errors, strict=True):
        assert f'but {name} listens to' in text
        assert f'stamped:={str(not stamped).lower()}' in text


def test_only_others_count_as_second_publishers():
    own, other = ('gate', STAMPED), ('nav2', STAMPED, '/')
    assert VelocityOutput(Graph(publishers=[own]), True).others() == []
    assert VelocityOutput(Graph(publishers=[own, other]), True).others() == ['/nav2']
    # Two gates of one name are one too many.
    assert VelocityOutput(Graph(publishers=[own, own]), True).others() == ['/r1/gate']
