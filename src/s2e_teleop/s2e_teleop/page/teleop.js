import { DriverInput } from './input.js';
import { Study } from './study.js';

const VERSION = 1;
const COMMAND_MS = 50;
const BLIND_MS = 1000;
const MAGIC = 0x53324556;
const $ = (id) => document.getElementById(id);
const ms = (seconds) => (seconds === null ? '–' : `${Math.round(seconds * 1000)} ms`);
const grade = (element, value, slow, late) => {
  element.className = value === null ? '' : value > late ? 'late' : value > slow ? 'slow' : '';
};

const input = new DriverInput($('stick'), sendDrive);
const study = new Study(send);
let socket = null;
let state = null;
let welcome = null;
let sequence = 0;
let retry = 500;
let showModes = false;
let aiming = false;
let shownAt = null;
let overlay = null;
let pending = null;
let viewWidth = 0;

function send(type, values = {}) {
  if (socket && socket.readyState === WebSocket.OPEN && welcome) {
    socket.send(JSON.stringify({ type, ...values }));
  }
}

function sendDrive() {
  send('drive', {
    seq: sequence++, t: performance.now(), press: Math.max(1, input.press), held: input.held,
    x: input.x, y: input.y,
  });
  drawStick();
}

// --- connection ---------------------------------------------------------------------------

const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has('token')) {
  sessionStorage.setItem('token', fragment.get('token'));
  history.replaceState(null, '', location.pathname);
}

function connect() {
  const token = sessionStorage.getItem('token');
  if (!token) {
    ask('');
    return;
  }
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => socket.send(JSON.stringify({
    type: 'hello', version: VERSION, token, name: localStorage.getItem('name') || '',
  }));
  socket.onmessage = (event) => {
    if (typeof event.data === 'string') receive(JSON.parse(event.data));
    else takeFrame(event.data);
  };
  socket.onclose = (event) => closed(event);
}

function closed(event) {
  socket = null;
  welcome = state = overlay = null;
  input.enabled = false;
  input.release();
  render();
  if (event.code === 4401) {
    sessionStorage.removeItem('token');
    ask(event.reason);
    return;
  }
  if (event.reason) note(event.reason);
  setTimeout(connect, retry);
  retry = Math.min(5000, retry * 2);
}

function ask(problem) {
  $('login-error').textContent = problem;
  $('login-error').hidden = !problem;
  $('name').value = localStorage.getItem('name') || '';
  if (!$('login').open) $('login').showModal();
}

$('login-form').addEventListener('submit', () => {
  sessionStorage.setItem('token', $('token').value.trim());
  localStorage.setItem('name', $('name').value.trim());
  $('token').value = '';
  connect();
});
$('login').addEventListener('cancel', (event) => event.preventDefault());

function receive(message) {
  if (message.type === 'ping') {
    send('pong', { id: message.id, t: performance.now() });
  } else if (message.type === 'welcome') {
    welcome = message;
    retry = 500;
    $('robot').textContent = message.robot;
    document.title = `Drive ${message.robot}`;
    $('limit').max = message.speed_cap;
    viewWidth = 0;
    sendView();
  } else if (message.type === 'state') {
    takeState(message);
  } else if (message.type === 'overlay') {
    overlay = message;
    drawOverlay();
  } else if (message.type === 'study' || message.type === 'guide') {
    study.take(message);
  } else if (message.type === 'note') {
    note(message.text);
  }
}

function takeState(message) {
  const before = state;
  state = message;
  input.enabled = state.driver === state.you && !state.e_stop;
  if (!input.enabled && input.held) input.release();
  // What the robot no longer counts must not look held.
  if (input.held && state.hold === 'lost' && before && before.hold === 'driving') input.release();
  render();
}

function note(text) {
  const item = document.createElement('li');
  item.textContent = text;
  const list = $('notes');
  list.append(item);
  while (list.children.length > 4) list.firstChild.remove();
  setTimeout(() => item.remove(), 12000);
}

function sendView() {
  const width = Math.round($('screen').clientWidth * Math.min(2, devicePixelRatio));
  if (Math.abs(width - viewWidth) < 32 || width < 64) return;
  viewWidth = Math.min(4096, width);
  send('view', { width: viewWidth, modes: showModes });
}

// --- video --------------------------------------------------------------------------------

async function takeFrame(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 20 || head.getUint32(0) !== MAGIC) return;
  const frame = { number: head.getUint32(4) };
  try {
    frame.bitmap = await createImageBitmap(
      new Blob([buffer.slice(20)], { type: 'image/jpeg' }));
  } catch {
    note('A picture could not be decoded.');
    return;
  }
  // Only the newest is shown, but each is confirmed, or the robot would wait for it.
  if (pending) {
    confirm(pending.number);
    pending.bitmap.close();
  }
  pending = frame;
  if (document.hidden) paint();
}

function confirm(number) { send('shown', { frame: number, t: performance.now() }); }

function paint() {
  if (!pending) return;
  const { bitmap, number } = pending;
  pending = null;
  const canvas = $('video');
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    $('stage').style.setProperty('--aspect', bitmap.width / bitmap.height);
    drawOverlay();
  }
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  shownAt = performance.now();
  confirm(number);
}

function drawOverlay() {
  const canvas = $('overlay');
  const scale = Math.min(2, devicePixelRatio);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (!showModes || !overlay) return;
  const ink = canvas.getContext('2d');
  ink.lineCap = ink.lineJoin = 'round';
  const place = ([u, v]) => [u * canvas.width, v * canvas.height];
  for (const line of overlay.lines) {
    ink.beginPath();
    line.points.forEach((point) => ink.lineTo(...place(point)));
    ink.lineWidth = (line.chosen ? 5 : 2) * scale;
    ink.strokeStyle = line.chosen ? '#3ecf6eee' : `rgba(90, 169, 255, ${0.2 + 0.6 * line.share})`;
    ink.stroke();
  }
  if (overlay.goal) {
    ink.beginPath();
    ink.arc(...place(overlay.goal), 9 * scale, 0, 2 * Math.PI);
    ink.lineWidth = 3 * scale;
    ink.strokeStyle = '#ffd34d';
    ink.stroke();
  }
}

// --- what is seen -------------------------------------------------------------------------

function drawStick() {
  // Two keys point into a corner; the knob stays in its circle.
  const reach = 105 / Math.max(1, Math.hypot(input.x, input.y));
  $('knob').style.transform = `translate(${-input.y * reach}%, ${-input.x * reach}%)`;
  $('stick').classList.toggle('held', input.held);
  $('stick').classList.toggle('off', !input.enabled);
  $('stick').classList.toggle('lost', Boolean(state && state.hold === 'lost'));
}

const WAITING = {
  operator_lost: 'Stopped: hold the stick to drive.',
  e_stop: 'Emergency stop was released: rearm to drive.',
};

function banner() {
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

function render() {
  const mine = state !== null && state.driver === state.you;
  const free = state !== null && state.driver === null;
  $('dot').className = `dot ${!state ? '' : mine ? 'good' : 'warn'}`;
  $('dot').setAttribute('aria-label', state ? 'connected' : 'not connected');
  $('role').textContent = !state ? 'not connected' : mine ? 'you drive'
    : free ? 'nobody drives' : `${state.driver_name} drives`;
  const [text, warn] = banner();
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
  study.seated(state && mine);
  drawStick();
  if (state) renderNumbers();
}

function renderNumbers() {
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
    ['Pictures', `${link.frames_shown} of ${link.frames_sent}`],
    ['Video', `${(link.bytes_sent / 1e6).toFixed(1)} MB`],
  ]);
}

// --- buttons ------------------------------------------------------------------------------

function toggleStop() {
  input.release();
  send('e_stop', { pressed: !(state && state.e_stop) });
}
const press = (id, act) => $(id).addEventListener('click', act);
press('take', () => send('seat', { action: state.driver === null ? 'take' : 'ask' }));
press('leave', () => send('seat', { action: 'leave' }));
press('grant', () => send('seat', { action: 'grant' }));
press('deny', () => send('seat', { action: 'deny' }));
press('rearm', () => send('rearm'));
press('halt', () => send('halt'));
press('stop', toggleStop);
press('modes', () => {
  showModes = !showModes;
  $('modes').setAttribute('aria-pressed', String(showModes));
  send('view', { width: Math.max(64, viewWidth), modes: showModes });
  drawOverlay();
});
press('goto', () => aim(!aiming));
$('limit').addEventListener('input', () => send('limit', { value: Number($('limit').value) }));

function aim(on) {
  aiming = on;
  $('goto').setAttribute('aria-pressed', String(on));
  $('screen').classList.toggle('aim', on);
}
$('screen').addEventListener('click', (event) => {
  if (!aiming) return;
  const box = $('screen').getBoundingClientRect();
  const share = (value, low, size) => Math.max(0, Math.min(1, (value - low) / size));
  send('goto', {
    u: share(event.clientX, box.left, box.width), v: share(event.clientY, box.top, box.height),
  });
  aim(false);
});

addEventListener('keydown', (event) => {
  if (event.repeat || !state || $('login').open) return;
  const busy = ['BUTTON', 'INPUT', 'SUMMARY'].includes(document.activeElement?.tagName);
  if (event.code === 'Escape' || (event.code === 'Space' && !busy)) {
    event.preventDefault();
    // A key only ever presses it: releasing is a deliberate act.
    input.release();
    if (!state.e_stop) send('e_stop', { pressed: true });
  }
});
addEventListener('resize', () => {
  sendView();
  drawOverlay();
});

// --- clockwork ----------------------------------------------------------------------------

setInterval(() => {
  if (input.held) sendDrive();
}, COMMAND_MS);

function frame() {
  paint();
  input.poll();
  const gap = shownAt === null ? 0 : performance.now() - shownAt;
  $('stale').hidden = gap < BLIND_MS / 2;
  $('screen').classList.toggle('blind', gap > BLIND_MS);
  if (gap > BLIND_MS / 2) $('stale').textContent = `No picture for ${(gap / 1000).toFixed(1)} s`;
  // Nobody drives blind; who never saw a picture drives by sight.
  if (gap > BLIND_MS && input.held) {
    input.release();
    note('Let go for you: the video stands still.');
  }
  requestAnimationFrame(frame);
}

render();
connect();
requestAnimationFrame(frame);
