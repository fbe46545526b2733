// The words and numbers around the video.

const $ = (id) => document.getElementById(id);
const ms = (seconds) => (seconds === null ? '–' : `${Math.round(seconds * 1000)} ms`);
const grade = (element, value, slow, late) => {
  element.className = value === null ? '' : value > late ? 'late' : value > slow ? 'slow' : '';
};

export function drawStick(input, lost) {
  // Two keys point into a corner; the knob stays in its circle.
  const reach = 105 / Math.max(1, Math.hypot(input.x, input.y));
  $('knob').style.transform = `translate(${-input.y * reach}%, ${-input.x * reach}%)`;
  $('stick').classList.toggle('held', input.held);
  $('stick').classList.toggle('off', !input.enabled);
  $('stick').classList.toggle('lost', lost);
}

const WAITING = {
  operator_lost: 'Stopped: hold the stick to drive.',
  e_stop: 'Emergency stop was released: rearm to drive.',
};

function banner(state) {
  if (!state) return ['Not connected', false];
  if (state.e_stop) return ['EMERGENCY STOP', false];
  const { latched, reason } = state.robot;
  if (state.hold === 'lost') return ['The link was lost: let go, then press again.', false];
  if (!latched) return ['No gate is heard: nothing will move.', true];
  if (latched === 'operator_lost') return [null, false];
  if (latched !== 'none') {
    return [WAITING[latched] || `Stopped: ${latched.replaceAll('_', ' ')}. Rearm to drive.`, false];
  }
  const quiet = reason === 'none' || reason === 'no_command';
  return [quiet ? null : `Stopped: ${reason.replaceAll('_', ' ')}`, true];
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

// state: the robot's newest, or null; welcome: its first word; rtc: what goes by WebRTC.
export function render(state, welcome, input, rtc) {
  const mine = state !== null && state.driver === state.you;
  const free = state !== null && state.driver === null;
  $('dot').className = `dot ${!state ? '' : mine ? 'good' : 'warn'}`;
  $('dot').setAttribute('aria-label', state ? 'connected' : 'not connected');
  $('role').textContent = !state ? 'not connected' : mine ? 'you drive'
    : free ? 'nobody drives' : `${state.driver_name} drives`;
  const [text, warn] = banner(state);
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
  $('speed').querySelector('b').textContent = robot.speed === null ? '–' : robot.speed.toFixed(1);
  if (document.activeElement !== $('limit')) $('limit').value = state.limit;
  $('limit-text').textContent = `${state.limit.toFixed(2)} m/s`;
  const battery = robot.battery === null ? 'not told' : `${Math.round(robot.battery * 100)} %`;
  rows('robot-table', [
    ['Battery', battery], ['Gate', robot.latched || 'not heard'],
    ['Drives', robot.source || '–'], ['Policy', robot.policy || '–'],
    ['Camera age', ms(robot.camera_age)], ['Watching', state.watchers],
    ...robot.notes.map((text) => ['!', text]),
  ]);
  const refused = link.refused ? `${link.refused} of ${link.refused + link.commands}` : 'none';
  rows('link-table', [
    ['Profile', welcome.link.name], ['There and back', ms(link.round_trip)],
    ['Clock off by at most', ms(link.clock_uncertainty)],
    ['Commands refused', refused],
    ['Video by', rtc.active ? 'WebRTC' : 'WebSocket'],
    ['Commands by', rtc.quick ? 'WebRTC, WebSocket' : 'WebSocket'],
    ['Pictures', `${link.frames_shown} of ${link.frames_sent}`],
    ['Received', `${(link.bytes_sent / 1e6).toFixed(1)} MB`],
    ...(rtc.why ? [['No WebRTC', rtc.why]] : []),
  ]);
}
