"""What a card says went into a network: hours, recordings, licences, and what it began from."""

from __future__ import annotations

from typing import Any

import pytest

from s2e_training.data.clip import ClipInfo
from s2e_training.export.provenance import all_data, data_summary, description, licence


def info(source: str, frames: int, terms: str = 'Apache-2.0', **provenance: Any) -> ClipInfo:
    return ClipInfo(
        source=source, licence=terms, frames=frames, width=128, height=128, fx=64, fy=85, cx=64,
        cy=64, mount_x=0.3, mount_z=0.6, mount_pitch=0.1,
        provenance={'task': 'empty', **provenance},
    )


RENDERED = [info('city:1000', 18000, driver='teacher'), info('city:1003', 9000, driver='mine')]


def test_recordings_are_counted_apart_and_as_long_as_they_were_filmed() -> None:
    """27,000 frames of 0.2 s are 1.5 h; 36,000, slowed four times, were filmed in 0.5 h."""
    street = info('street', 36000, 'CC-BY-4.0', format='label', task='recording',
                  time_stretched_by=4.0)
    yard = info('yard', 1800, driver='teacher')
    data = data_summary([*RENDERED, street, yard])
    assert data['frames'] == 64800 and data['clips'] == 4
    assert data['hours_rendered'] == pytest.approx(1.6) and data['hours_recorded'] == 0.5
    assert data['scenes'] == '2 generated cities, city:1000 to city:1003; other scenes: yard'
    assert data['recordings'] == 'street'
    assert data['frames_by_driver'] == {
        'policy (DAgger)': 9000, 'recorded': 36000, 'teacher': 19800}
    assert data['licences'] == 'Apache-2.0, CC-BY-4.0'


def test_the_first_line_says_what_went_in() -> None:
    """Only rendered, only recorded, both; of a chain of runs, everything."""
    street = info('street', 18000, 'CC-BY-4.0', format='kitti')
    rendered, recorded = (
        {'data': data_summary(infos)} for infos in (RENDERED, [street])
    )
    assert 'rendered video only' in description(all_data(rendered))
    assert description(all_data(recorded)).startswith('Pre-trained on 1 hours of recordings')
    both = all_data({**rendered, 'initial': recorded})
    assert '1.5 hours' in description(both) and '1 hours of recordings' in description(both)
    earlier = {'data': {'hours_rendered': 6.84, 'hours_real': 0.0, 'licences': 'Apache-2.0'}}
    assert 'rendered video only' in description(all_data(earlier))


def test_weights_are_ours_to_give_only_where_all_data_is() -> None:
    """One restricted recording, even in an earlier run, and who exports has to judge."""
    ours = {'data': data_summary(RENDERED)}
    theirs = {'data': data_summary([info('kitti', 9, 'CC-BY-NC-SA-3.0', format='kitti')])}
    assert licence(all_data(ours)) == 'Apache-2.0'
    assert 'CC-BY-NC-SA-3.0' in licence(all_data({**ours, 'initial': theirs}))
