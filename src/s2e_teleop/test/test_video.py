"""Pictures: passed on untouched where possible, never queued."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from s2e_core.errors import ContractError
from s2e_teleop.video import Flow, Picture

RGB = np.zeros((48, 64, 3), np.uint8)
RGB[:, :32] = (200, 40, 10)


def test_a_file_that_is_small_enough_is_passed_on_untouched():
    good, data = cv2.imencode('.jpg', RGB)
    jpeg = data.tobytes()
    assert Picture(1, 0.0, jpeg=jpeg).encode(64, 50) == (64, 48, jpeg)


def test_a_wide_one_is_made_smaller_once():
    picture = Picture(1, 0.0, rgb=RGB)
    width, height, jpeg = picture.encode(32, 90)
    assert (width, height) == (32, 24)
    assert picture.encode(32, 90)[2] is jpeg
    back = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert back.shape == (24, 32, 3)
    assert back[12, 5] == pytest.approx([200, 40, 10], abs=12), 'red stays red'


def test_a_png_becomes_a_jpeg():
    png = cv2.imencode('.png', RGB)[1].tobytes()
    assert Picture(1, 0.0, jpeg=png).encode(640, 80)[2][:2] == b'\xff\xd8'


def test_what_is_no_picture_is_refused():
    with pytest.raises(ContractError):
        Picture(1, 0.0, jpeg=b'\xff\xd8 no').encode(64, 80)


def test_two_pictures_are_on_the_way_at_most():
    flow = Flow(rate=20.0)
    for number, at in ((1, 0.0), (2, 0.05)):
        assert flow.wants(at)
        flow.send(number, at - 0.02, at)
    assert not flow.wants(0.10), 'none is confirmed'
    assert flow.shown(1, 0.09, 0.11) and flow.wants(0.11)
    assert not flow.shown(1, 0.09, 0.11), 'each is confirmed once'
    assert not flow.shown(77, 0.09, 0.11)
    # Exposed at -0.02, shown at 0.09.
    assert flow.glass_to_glass() == pytest.approx(0.11)
    flow.send(3, 0.09, 0.11)
    assert not flow.wants(0.3)
    assert flow.wants(1.2), 'pictures without an answer are given up after a second'
    assert flow.frame_rate(0.2) == 0.5 and (flow.sent, flow.confirmed) == (3, 1)


def test_a_far_page_has_more_pictures_on_the_way():
    flow = Flow(rate=20.0)
    sent = 0
    while flow.wants(0.05 * sent, round_trip=0.24):
        flow.send(sent, 0.0, 0.05 * sent)
        sent += 1
    # 0.24 s there and back are 4.8 pictures of 50 ms: 5, and one more on the wire.
    assert sent == 6
    assert not flow.wants(0.9, round_trip=0.24)


def test_the_rate_is_a_limit():
    flow = Flow(rate=10.0)
    flow.send(1, 0.0, 0.0)
    flow.shown(1, 0.01, 0.01)
    assert not flow.wants(0.08) and flow.wants(0.095)


def test_a_page_cannot_claim_to_have_shown_a_picture_before_it_was_sent():
    flow = Flow(rate=10.0)
    flow.send(1, 0.9, 1.0)
    flow.shown(1, -50.0, 1.1)
    assert flow.glass_to_glass() == pytest.approx(0.1)
