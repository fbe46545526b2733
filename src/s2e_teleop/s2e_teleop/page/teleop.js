import { DriverInput } from './input.js';
import { drawStick, render } from './panel.js';
import { Rtc } from './rtc.js';
import { Screen } from './screen.js';
import { Study } from './study.js';

const VERSION = 1;
const COMMAND_MS = 50;
const BLIND = 1.0;
const $ = (id) => document.getElementById(id);

const input = new DriverInput($('stick'), sendDrive);
const screen = new Screen(
  (number) => send('shown', { frame: number, t: performance.now() }), note);
const rtc = new Rtc($('stream'), send, (width, height) => screen.shown(width, height), () => {
  screen.stream(rtc.active);
  // JPEGs are wanted exactly while there is no other video.
  sendView(true);
  draw();
});
const study = new Study(send);
let socket = null;
let state = null;
let heard = 0;
let welcome = null;
let sequence = 0;
let retry = 500;
let aiming = false;
let viewWidth = 0;

// Seconds since the robot last told its state, five times a second.
function silence() { return state === null ? 0 : (performance.now() - heard) / 1000; }

function draw() {
  render(state, silence(), welcome, input, rtc);
  study.seated(state && state.driver === state.you);
}

function send(type, values = {}) {
  if (socket && socket.readyState === WebSocket.OPEN && welcome) {
    socket.send(JSON.stringify({ type, ...values }));
  }
}

// By every way there is; the robot takes the first to arrive.
function sendQuick(type, values) {
  if (welcome) rtc.command(JSON.stringify({ type, ...values }));
  send(type, values);
}

function sendDrive() {
  sendQuick('drive', {
    seq: sequence++, t: performance.now(), press: Math.max(1, input.press), held: input.held,
    x: input.x, y: input.y, side: input.side,
  });
  drawStick(input, Boolean(state && state.hold === 'lost'));
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
    else screen.takeFrame(event.data);
  };
  socket.onclose = (event) => closed(event);
}

function closed(event) {
  socket = null;
  welcome = state = screen.overlay = null;
  input.enabled = false;
  input.release();
  rtc.stop();
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
    input.sideways = message.sideways;
    document.body.classList.toggle('sideways', message.sideways);
    rtc.start(message.webrtc);
    sendView(true);
  } else if (message.type === 'state') {
    takeState(message);
  } else if (message.type === 'overlay') {
    screen.overlay = message;
    screen.draw();
  } else if (message.type === 'study' || message.type === 'guide') {
    study.take(message);
  } else if (message.type === 'answer') {
    rtc.answer(message);
  } else if (message.type === 'note') {
    note(message.text);
  }
}

function takeState(message) {
  const before = state;
  state = message;
  heard = performance.now();
  input.enabled = state.driver === state.you && !state.e_stop;
  if (!input.enabled && input.held) input.release();
  // What the robot no longer counts must not look held.
  if (input.held && state.hold === 'lost' && before && before.hold === 'driving') input.release();
  draw();
}

function note(text) {
  const item = document.createElement('li');
  item.textContent = text;
  const list = $('notes');
  list.append(item);
  while (list.children.length > 4) list.firstChild.remove();
  setTimeout(() => item.remove(), 12000);
}

function sendView(anyway = false) {
  const width = Math.round($('screen').clientWidth * Math.min(2, devicePixelRatio));
  if (!anyway && (Math.abs(width - viewWidth) < 32 || width < 64)) return;
  viewWidth = Math.min(4096, Math.max(64, width));
  send('view', { width: viewWidth, modes: screen.modes, video: !rtc.active });
}

// --- buttons ------------------------------------------------------------------------------

function toggleStop() {
  input.release();
  if (state && state.e_stop) send('e_stop', { pressed: false });
  else sendQuick('e_stop', { pressed: true });
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
  screen.modes = !screen.modes;
  $('modes').setAttribute('aria-pressed', String(screen.modes));
  sendView(true);
  screen.draw();
});
press('goto', () => aim(!aiming));
press('aside', () => {
  // What is held now was held with the other meaning.
  input.release();
  input.aside = !input.aside;
  $('aside').setAttribute('aria-pressed', String(input.aside));
});
$('limit').addEventListener('input', () => send('limit', { value: Number($('limit').value) }));

function aim(on) {
  aiming = on;
  $('goto').setAttribute('aria-pressed', String(on));
  $('screen').classList.toggle('aim', on);
  $('aim').hidden = !on;
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
    if (!state.e_stop) sendQuick('e_stop', { pressed: true });
  }
});
addEventListener('resize', () => {
  sendView();
  screen.draw();
});

// --- clockwork ----------------------------------------------------------------------------

setInterval(() => {
  if (input.held) sendDrive();
}, COMMAND_MS);
setInterval(() => {
  if (silence() > 1) draw();
}, 500);

function frame() {
  screen.paint();
  input.poll();
  const { gap } = screen;
  rtc.watch(gap < BLIND);
  $('stale').hidden = gap < BLIND / 2;
  $('screen').classList.toggle('blind', gap > BLIND);
  if (gap > BLIND / 2) $('stale').textContent = `No picture for ${gap.toFixed(1)} s`;
  // Nobody drives blind; who never saw a picture drives by sight.
  if (gap > BLIND && input.held) {
    input.release();
    note('Let go for you: the video stands still.');
  }
  requestAnimationFrame(frame);
}

draw();
connect();
requestAnimationFrame(frame);
