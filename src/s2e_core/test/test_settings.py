"""NAME=VALUE on the command line."""

from __future__ import annotations

import copy

import pytest

from s2e_core.errors import ConfigError
from s2e_core.settings import assign, read_settings

VALUES = {'steps': 5, 'ppo': {'gamma': 0.99, 'entropy': 'upper'}, 'scenes': ['a']}


def test_values_are_yaml_and_dots_reach_into_groups() -> None:
    values = copy.deepcopy(VALUES)
    assign(values, ['steps=7', 'ppo.gamma=0.9', 'scenes=[b, c]', 'ppo.entropy=a=b'])
    assert values == {
        'steps': 7, 'ppo': {'gamma': 0.9, 'entropy': 'a=b'}, 'scenes': ['b', 'c'],
    }
    assert read_settings(['x=', 'y=no']) == [('x', None), ('y', False)]


@pytest.mark.parametrize(('word', 'said'), [
    ('steps', "NAME=VALUE, got 'steps'"),
    ('steps=[', 'not a YAML value'),
    ('stops=1', "no setting 'stops'"),
    ('ppo.klip=1', "no setting 'ppo.klip'"),
    ('steps.more=1', "no setting 'steps.more'"),
    ('none.more.still=1', "no setting 'none.more.still'"),
])
def test_what_is_wrong_is_named(word: str, said: str) -> None:
    values = copy.deepcopy(VALUES)
    with pytest.raises(ConfigError, match=said):
        assign(values, [word])
    assert values == VALUES
