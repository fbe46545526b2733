// The words and numbers around the video.

import { because } from './reasons.js';

const $ = (id) => document.getElementById(id);
const touch = matchMedia('(hover: none)');
const clamp = (value) => Math.max(-1, Math.min(1, value));
const ms = (seconds) => (seconds === null ? '–' : `${Math.round(seconds * 1000)} ms`);
const grade = (element, value, slow, late) => {
  element.className = value === null ? '' : value > late ? 'late' : value > slow ? 'slow' : '';
};

export function drawStick(input, lost) {
  // Two keys point into a corner; the knob stays in its circle.
  const left = clamp(input.y + input.side);
  const reach = 105 / Math.max(1, Math.hypot(input.x, left));
  $('knob').style.transform = `translate(${-left * reach}%, ${-input.x * reach}%)`;
  $('stick').classList.toggle('held', input.held);
  $('stick').classList.toggle('off', !input.enabled);
  $('stick').classList.toggle('lost', lost);
}

function banner(state, silence) {
  if (!state) return ['Not connected', false];
  if (silence > 1) return [`No word from the robot for ${Math.floor(silence)} s`, false];
  if (state.e_stop) return ['EMERGENCY STOP', false];
  const { latched, reason } = state.robot;
  if (state.hold === 'lost') return ['The link was lost: let go, then press again.', false];
  if (!latched) return ['No gate is heard: nothing will move.', true];
  if (latched === 'operator_lost') return [null, false];
  if (latched !== 'none') return [`Stopped: ${because(latched)}. Rearm to drive.`, false];
  const quiet = ['none', 'no_command', 'no_goal'].includes(reason);
  return [quiet ? null : `Stopped: ${because(reason)}.`, true];
}

function rows(id, entries) {
  const body = $(id);
  entries.forEach(([name, value], index) => {
    let row = body.rows[index];
    if (!row) {
      row = body.insertRow();
      row.append(document.createElement('th'), document.createElement('td'));
    }
    row.cells[0].textContent = name;
    row.cells[1].textContent = value;
  });
  while (body.rows.length > entries.length) body.deleteRow(-1);
}

// state: the robot's newest, or null; silence: seconds since then; welcome: its first word;
// rtc: what goes by WebRTC.
export function render(state, silence, welcome, input, rtc) {
  const mine = state !== null && state.driver === state.you;
  const free = state !== null && state.driver === null;
  document.body.classList.toggle('offline', !state || silence > 1);
  $('dot').className = `dot ${!state || silence > 1 ? '' : mine ? 'good' : 'warn'}`;
  $('dot').setAttribute('aria-label', state ? 'connected' : 'not connected');
  $('role').textContent = !state ? 'not connected' : mine ? 'you drive'
    : free ? 'nobody drives' : `${state.driver_name} drives`;
  const [text, warn] = banner(state, silence);
  $('banner').hidden = text === null;
  $('banner').textContent = text || '';
  $('banner').classList.toggle('warn', warn);
  const asked = state && state.request && state.request.id === state.you;
  $('take').hidden = mine;
  $('take').disabled = !state || Boolean(asked);
  $('take').textContent = asked ? 'Waiting for the driver' : free || !state ? 'Take the seat'
    : 'Ask for the seat';
  $('leave').hidden = !mine;
  $('request').hidden = !(mine && state.request);
  if (state && state.request) $('asker').textContent = state.request.name;
  const latched = state ? state.robot.latched : '';
  const waits = latched && latched !== 'none' && latched !== 'operator_lost';
  $('rearm').hidden = !(mine && waits && !state.e_stop);
  $('halt').hidden = !(state && state.to_goal);
  $('goto').disabled = !mine;
  $('limit').disabled = !mine;
  $('hint').textContent = !state ? '' : !mine ? 'Take the seat to drive.' : touch.matches
    ? 'Hold the stick to drive, let go to stop.'
    : `Hold W A S D${input.sideways ? ', Q E (sideways)' : ''}, the arrows or the stick to drive, `
      + 'let go to stop.';
  const stop = $('stop');
  stop.setAttribute('aria-pressed', String(Boolean(state && state.e_stop)));
  stop.querySelector('b').textContent = state && state.e_stop ? 'RELEASE' : 'STOP';
  stop.disabled = !state;
  drawStick(input, Boolean(state && state.hold === 'lost'));
  if (state) renderNumbers(state, welcome, rtc);
}

function renderNumbers(state, welcome, rtc) {
  const { link, robot } = state;
  $('glass').textContent = ms(link.glass_to_glass);
  grade($('glass'), link.glass_to_glass, 0.25, 0.5);
  $('command').textContent = ms(link.command_age);
  grade($('command'), link.command_age, 0.15, 0.3);
  $('fps').textContent = Math.round(link.frame_rate);
  $('way').textContent = rtc.active ? 'WebRTC' : 'JPEG';
  // Standing still jitters about zero, and minus nothing reads oddly.
  const speed = robot.speed === null || Math.abs(robot.speed) >= 0.05 ? robot.speed : 0;
  $('speed').querySelector('b').textContent = speed === null ? '–' : speed.toFixed(1);
  if (document.activeElement !== $('limit')) $('limit').value = state.limit;
  $('limit-text').textContent = `${state.limit.toFixed(2)} m/s`;
  const battery = robot.battery === null ? 'not told' : `${Math.round(robot.battery * 100)} %`;
  const gate = robot.latched === 'none' ? 'ready' : robot.latched || 'not heard';
  rows('robot-table', [
    ['Battery', battery], ['Gate', gate],
    ['Drives', robot.source || '–'], ['Policy', robot.policy || '–'],
    ['Camera age', ms(robot.camera_age)], ['Watching', state.watchers],
    ...robot.notes.map((text) => ['!', text]),
  ]);
  grade($('robot-table').rows[0].cells[1], robot.battery === null ? null : 1 - robot.battery,
    0.8, 0.9);
  const refused = link.refused ? `${link.refused} of ${link.refused + link.commands}` : 'none';
  rows('link-table', [
    ['Profile', welcome.link.name], ['There and back', ms(link.round_trip)],
    ['Clock off by at most', ms(link.clock_uncertainty)],
    ['Commands refused', refused],
    ['Video by', rtc.active ? 'WebRTC' : 'WebSocket'],
    ['Commands by', rtc.quick ? 'both' : 'WebSocket'],
    ['Pictures', `${link.frames_shown} of ${link.frames_sent}`],
    ['Received', `${(link.bytes_sent / 1e6).toFixed(1)} MB`],
    ...(rtc.why ? [['No WebRTC', rtc.why]] : []),
  ]);
}
