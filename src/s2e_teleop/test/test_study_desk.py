"""Cards and answers of a study over the real server: who may answer, when, and what counts."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math

import pytest

from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError
from s2e_teleop.errors import ProtocolError
from s2e_teleop.protocol import parse
from s2e_teleop.study.card import Guide, StudyCard
from s2e_teleop.study.workload import SCALES

READY = StudyCard(number=4, phase='ready', run=1, runs=3, driver='person', link='4g')
FORM = dict.fromkeys(SCALES, 45)


def test_a_page_sees_the_card_and_only_the_driver_starts_the_run(serve):
    served = serve()
    served.server.show_card(READY)

    async def test():
        async with served.page() as page, served.page() as other:
            await page.until(lambda: page.cards)
            card = page.cards[0]
            assert card['phase'] == 'ready' and (card['run'], card['runs']) == (1, 3)
            await page.take_seat()
            await other.send('card', card=4, action='start')
            await other.until(lambda: any('take the seat' in note for note in other.notes))
            assert served.answers == []
            await page.send('card', card=4, action='start')
            await asyncio.to_thread(served.wait_for, lambda: bool(served.answers))
            served.server.show_card(dataclasses.replace(READY, number=5, phase='running'))
            served.server.show_guide(Guide(12.5, 0.1))
            await other.until(lambda: other.guides)
            assert other.guides == [{'distance': 12.5, 'bearing': 0.1, 'u': None, 'v': None}]
            # The second click of a double click, and a start in the middle of a run.
            await page.send('card', card=4, action='start')
            await page.send('card', card=5, action='start')
            await page.until(lambda: any('not now' in note for note in page.notes))
            # Only autonomy can be told to go on, and only practice to be enough.
            await page.send('card', card=5, action='resume')
            await page.send('card', card=5, action='enough')
            await page.until(lambda: sum('not now' in note for note in page.notes) == 3)

    asyncio.run(test())
    assert served.answers == [{'card': 4, 'action': 'start'}]


def test_a_form_counts_once_whole_and_on_the_scale(serve):
    served = serve()
    served.server.show_card(dataclasses.replace(READY, number=7, phase='form'))

    async def test():
        async with served.page() as page:
            await page.take_seat()
            await page.send('load', card=7, **{**FORM, 'effort': 47})
            await page.until(lambda: any('multiple of 5' in note for note in page.notes))
            await page.send('load', card=6, **FORM)
            await page.send('load', card=7, **FORM)
            await asyncio.to_thread(served.wait_for, lambda: bool(served.answers))

    asyncio.run(test())
    assert served.answers == [{'card': 7, 'action': 'form', **FORM}]


def test_without_a_study_nothing_is_answered(serve):
    served = serve()

    async def test():
        async with served.page() as page:
            await page.take_seat()
            await page.send('card', card=0, action='start')
            await page.until(lambda: 'no study runs' in page.notes)
            assert page.cards == []

    asyncio.run(test())
    assert served.answers == []


@pytest.mark.parametrize('text', [
    '{"type":"card","card":1,"action":"win"}',
    '{"type":"card","card":-1,"action":"start"}',
    '{"type":"load","card":1,"mental":50}',
    json.dumps({'type': 'load', 'card': 1, **FORM, 'mental': 101}),
    json.dumps({'type': 'load', 'card': 1, **FORM, 'mental': 5.5}),
])
def test_answers_off_the_protocol_are_refused(text):
    with pytest.raises(ProtocolError):
        parse(text)


def test_a_card_from_elsewhere_is_checked():
    good = {'number': 1, 'phase': 'ready', 'driver': 'person'}
    assert from_mapping(StudyCard, good, source='card').phase == 'ready'
    for wrong in ({'phase': 'lunch'}, {'driver': 'pilot'}, {'number': math.inf}, {'colour': 1}):
        with pytest.raises(ConfigError):
            from_mapping(StudyCard, {**good, **wrong}, source='card')
