"""The page in a real browser: keys and touch drive, and whatever takes the driver away stops."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from s2e_core.robot import RobotProfile

PATH = Path(__file__).parent / 'driving_page.py'
spec = importlib.util.spec_from_file_location('driving_page', PATH)
driving_page = importlib.util.module_from_spec(spec)
sys.modules['driving_page'] = driving_page
spec.loader.exec_module(driving_page)
browser, in_browser = driving_page.browser, driving_page.in_browser

MECANUM = RobotProfile(
    'mecanum', 'holonomic', 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 2.0, vy_max=0.3
)

pytestmark = pytest.mark.skipif(
    browser.find() is None,
    reason='no Chromium here: apt-get install chromium, or name one in S2E_CHROMIUM',
)


BLUR = "window.dispatchEvent(new Event('blur'))"
HIDE = """
Object.defineProperty(document, 'hidden', {value: true, configurable: true});
document.dispatchEvent(new Event('visibilitychange'));
delete document.hidden;
"""


def test_keys_drive_while_held_and_a_lost_focus_lets_go(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        assert await tab.run('location.href.includes("token")') is False, 'not left in the bar'
        presses = await bench.drive()
        assert bench.robot.named('drive')[-1][1][0] == 0.5
        await tab.key('keyUp', 'KeyW')
        await bench.stands()
        assert 1 <= bench.robot.count('press') <= presses
        for script in (BLUR, HIDE):
            await bench.drive()
            await tab.run(script)
            await bench.stands()
            # The finger is still down: repeats of the key are no new press.
            count = bench.robot.count('drive')
            for _ in range(3):
                await tab.call('Input.dispatchKeyEvent', type='keyDown', code='KeyW', key='w',
                               autoRepeat=True)
            await asyncio.sleep(0.3)
            assert bench.robot.count('drive') == count, script
            await tab.key('keyUp', 'KeyW')

    in_browser(serve, tmp_path, test)


def test_a_touch_drives_and_a_cancelled_one_lets_go(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await tab.call('Emulation.setTouchEmulationEnabled', enabled=True)
        box = await tab.run(
            "(() => { const b = document.getElementById('stick').getBoundingClientRect();"
            ' return [b.left + b.width / 2, b.top + b.height / 2, b.width]; })()'
        )
        x, y, width = box
        for ending in ('touchCancel', 'touchEnd'):
            await tab.touch('touchStart', (x, y))
            await tab.touch('touchMove', (x, y - 0.3 * width))
            await bench.until(
                lambda: bench.robot.count('drive') and bench.robot.named('drive')[-1][1][0] > 0.1
            )
            await tab.touch(ending)
            await bench.stands()
            bench.robot.calls.clear()

    in_browser(serve, tmp_path, test)


def test_a_network_that_is_gone_stops_and_the_page_says_so(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await bench.drive()
        bench.proxy.cut()
        await bench.stands()
        # Everything that was held back arrives at once, with the key still down: nothing moves.
        count = bench.robot.count('drive')
        bench.proxy._open.set()
        await tab.until("document.getElementById('notes').textContent.includes('was lost')")
        await asyncio.sleep(0.3)
        assert bench.robot.count('drive') == count
        await tab.key('keyUp', 'KeyW')
        await tab.until("document.getElementById('role').textContent !== 'not connected'")

    # Without the second way, on which commands would go on.
    in_browser(serve, tmp_path, test, webrtc='off')


def test_escape_is_the_emergency_stop_and_only_the_button_releases_it(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await bench.drive()
        await tab.key('keyDown', 'Escape')
        await bench.until(lambda: bench.robot.named('e_stop')[-1][1] is True)
        await tab.until("document.getElementById('banner').textContent === 'EMERGENCY STOP'")
        await tab.key('keyUp', 'Escape')
        await tab.key('keyDown', 'Escape')
        await asyncio.sleep(0.3)
        assert bench.robot.named('e_stop')[-1][1] is True
        await tab.run("document.getElementById('stop').click()")
        await bench.until(lambda: bench.robot.named('e_stop')[-1][1] is False)

    in_browser(serve, tmp_path, test)


def test_pictures_are_shown_and_a_video_that_stands_still_lets_go(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        async with bench.film():
            await tab.until("document.getElementById('video').width === 64")
            await tab.until("document.getElementById('video').getContext('2d')"
                            '.getImageData(32, 24, 1, 1).data[1] > 150')
            await tab.until("document.getElementById('glass').textContent.endsWith('ms')")
            await bench.drive()
        await bench.stands()
        await tab.key('keyUp', 'KeyW')

    in_browser(serve, tmp_path, test)


def test_the_login_asks_again_after_a_wrong_token(serve, tmp_path):
    served = serve()

    async def run():
        async with browser.open_tab(tmp_path) as tab:
            await tab.call('Page.navigate', url=f'http://{served.address}/#token=wrong-one')
            await tab.until("document.getElementById('login')?.open === true")
            await tab.until("document.getElementById('login-error').textContent"
                            ".startsWith('wrong token')")
            await tab.run(
                f"document.getElementById('token').value = '{served.token}';"
                "document.getElementById('name').value = 'Ann';"
                "document.querySelector('#login-form button').click()"
            )
            await tab.until("document.getElementById('role').textContent === 'nobody drives'")

    asyncio.run(run())


PAD = """
window.pad = {connected: true, axes: [0, -1], buttons: Array(8).fill({pressed: false})};
navigator.getGamepads = () => [window.pad];
window.shoulder = (down) => { window.pad.buttons[5] = {pressed: down}; };
"""


def test_a_gamepad_drives_while_its_shoulder_button_is_held(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await tab.run(PAD)
        await asyncio.sleep(0.2)
        assert bench.robot.count('drive') == 0, 'a stick alone is no dead-man'
        await tab.run('shoulder(true)')
        await bench.drives()
        assert bench.robot.named('drive')[-1][1][0] == 0.5, 'axis -1 is forward'
        await tab.run("window.dispatchEvent(new Event('blur'))")
        await bench.stands()
        count = bench.robot.count('drive')
        await asyncio.sleep(0.3)
        assert bench.robot.count('drive') == count, 'the button has to come up first'
        await tab.run('shoulder(false)')
        await asyncio.sleep(0.2)
        await tab.run('shoulder(true)')
        await bench.drives()

    in_browser(serve, tmp_path, test)


def test_a_holonomic_robot_goes_aside_by_keys_stick_and_gamepad(serve, tmp_path):
    async def test(bench):
        tab = bench.tab

        def aside():
            driven = bench.robot.named('drive')
            return driven[-1][1][3] if driven else 0.0

        await tab.key('keyDown', 'KeyQ')
        await bench.until(lambda: aside() == 0.3)
        await tab.key('keyDown', 'KeyE')
        await bench.until(lambda: aside() == 0.0)
        await tab.key('keyUp', 'KeyQ')
        await bench.until(lambda: aside() == -0.3)
        await tab.key('keyUp', 'KeyE')
        await bench.stands()
        await tab.call('Emulation.setTouchEmulationEnabled', enabled=True)
        x, y, width = await tab.run(
            "document.getElementById('aside').click();"
            "(() => { const b = document.getElementById('stick').getBoundingClientRect();"
            ' return [b.left + b.width / 2, b.top + b.height / 2, b.width]; })()'
        )
        await tab.touch('touchStart', (x, y))
        await tab.touch('touchMove', (x - 0.5 * width, y))
        await bench.until(lambda: aside() == 0.3)
        assert bench.robot.named('drive')[-1][1][1] == 0.0, 'and turns no more'
        await tab.touch('touchEnd')
        await bench.stands()
        await tab.run(PAD + 'pad.axes = [0, 0, 1, 0];')
        # The page lets go once more when it hears that the touch has ended.
        await asyncio.sleep(0.3)
        await tab.run('shoulder(true)')
        await bench.until(lambda: aside() == -0.3)
        await tab.run('shoulder(false)')
        await bench.stands()

    in_browser(serve, tmp_path, test, robot=MECANUM)


def test_a_robot_that_cannot_go_aside_is_not_asked_to(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await tab.key('keyDown', 'KeyQ')
        hidden = "getComputedStyle(document.getElementById('aside')).display === 'none'"
        assert await tab.run(hidden)
        presses = await bench.drive()
        assert 1 <= bench.robot.count('press') <= presses
        await tab.key('keyUp', 'KeyW')
        await bench.stands()

    in_browser(serve, tmp_path, test)


def test_the_seat_is_asked_for_and_handed_over_with_the_buttons(serve, tmp_path):
    async def test(bench):
        tab, served = bench.tab, bench.served
        async with served.page('Bob') as bob:
            await bob.until(lambda: bob.states)
            await bob.send('seat', action='ask')
            await tab.until("document.getElementById('request').hidden === false")
            assert await tab.run("document.getElementById('asker').textContent") == 'Bob'
            await bench.drive()
            await tab.run("document.getElementById('grant').click()")
            await tab.until("document.getElementById('role').textContent === 'Bob drives'")
            await bench.stands()
            count = bench.robot.count('drive')
            await asyncio.sleep(0.2)
            assert bench.robot.count('drive') == count, 'the key is still down'
            await tab.key('keyUp', 'KeyW')
            await tab.run("document.getElementById('take').click()")
            await bob.until(lambda: bob.states[-1]['request'] is not None)
            await bob.send('seat', action='deny')
            await tab.until("document.getElementById('take').textContent === 'Ask for the seat'")

    in_browser(serve, tmp_path, test)


def test_a_click_on_the_ground_is_a_goal_once(serve, tmp_path):
    async def test(bench):
        tab = bench.tab
        await tab.run("document.getElementById('goto').click()")
        box = await tab.run(
            "(() => { const b = document.getElementById('screen').getBoundingClientRect();"
            ' return [b.left, b.top, b.width, b.height]; })()'
        )
        x, y = box[0] + 0.25 * box[2], box[1] + 0.75 * box[3]
        for _ in range(2):
            for kind in ('mousePressed', 'mouseReleased'):
                await tab.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left',
                               clickCount=1)
        await bench.until(lambda: bench.robot.count('go_to') == 1)
        u, v = bench.robot.named('go_to')[0][1]
        assert abs(u - 0.25) < 0.01 and abs(v - 0.75) < 0.01
        await tab.until("document.getElementById('halt').hidden === false")
        await tab.run("document.getElementById('halt').click()")
        await bench.until(lambda: bench.robot.count('halt') == 1)
        assert bench.robot.count('go_to') == 1, 'the second click was only a click'

    in_browser(serve, tmp_path, test)


def test_a_robot_that_says_nothing_is_told_apart_from_one_that_stands(serve, tmp_path):
    async def test(bench):
        bench.proxy.cut()
        await bench.tab.until("document.getElementById('banner').textContent"
                              ".startsWith('No word from the robot for')")
        assert await bench.tab.run("document.body.classList.contains('offline')")
        bench.proxy._open.set()
        await bench.tab.until("!document.body.classList.contains('offline')")

    in_browser(serve, tmp_path, test, webrtc='off')
