// The dead-man: keyboard, touch stick or gamepad. One of them holds it at a time; whatever may
// mean that the driver is no longer there lets go.

const DRIVE_KEYS = {
  KeyW: [1, 0, 0], ArrowUp: [1, 0, 0], KeyS: [-1, 0, 0], ArrowDown: [-1, 0, 0],
  KeyA: [0, 1, 0], ArrowLeft: [0, 1, 0], KeyD: [0, -1, 0], ArrowRight: [0, -1, 0],
};
// Only for robots that go aside without turning.
const SIDE_KEYS = { KeyQ: [0, 0, 1], KeyE: [0, 0, -1] };
const DEAD_ZONE = 0.12;
const clamp = (value) => Math.max(-1, Math.min(1, value));
const curve = (value) => {
  const size = Math.max(0, (Math.abs(value) - DEAD_ZONE) / (1 - DEAD_ZONE));
  return Math.sign(value) * Math.min(1, size);
};

export class DriverInput {
  constructor(stick, onRelease) {
    this.stick = stick;
    this.onRelease = onRelease;
    this.source = null;
    this.press = 0;
    this.x = 0;
    this.y = 0;
    this.side = 0;
    // Whether the robot goes aside, and whether the stick's left and right mean that.
    this.sideways = false;
    this.aside = false;
    this.enabled = false;
    this.keys = new Set();
    this.slow = false;
    this.pointer = null;
    // A gamepad button that is down when the hold is lost must come up before it counts again.
    this.padBlocked = false;
    this.#listen();
  }

  get held() { return this.source !== null; }

  // Let go, for whatever reason; what is still held has to be pressed anew. So has what was
  // pressed before driving was allowed.
  release() {
    this.keys.clear();
    this.pointer = null;
    this.padBlocked = true;
    if (this.source === null) return;
    this.source = null;
    this.x = this.y = this.side = 0;
    this.onRelease();
  }

  #hold(source, x, y, side = 0) {
    if (this.source !== null && this.source !== source) return;
    if (this.source === null) {
      this.source = source;
      this.press += 1;
    }
    this.x = clamp(x);
    this.y = clamp(y);
    this.side = this.sideways ? clamp(side) : 0;
  }

  #end(source) {
    if (this.source === source) this.release();
  }

  #listen() {
    addEventListener('keydown', (event) => this.#key(event, true));
    addEventListener('keyup', (event) => this.#key(event, false));
    for (const name of ['blur', 'pagehide', 'freeze']) {
      addEventListener(name, () => this.release());
    }
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.release();
    });
    const stick = this.stick;
    stick.addEventListener('pointerdown', (event) => {
      if (!this.enabled || this.pointer !== null || event.button !== 0) return;
      this.pointer = event.pointerId;
      stick.setPointerCapture(event.pointerId);
      this.#touch(event);
    });
    stick.addEventListener('pointermove', (event) => this.#touch(event));
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      stick.addEventListener(name, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.pointer = null;
        this.#end('touch');
      });
    }
    stick.addEventListener('contextmenu', (event) => event.preventDefault());
    addEventListener('gamepaddisconnected', () => this.#end('gamepad'));
  }

  #touch(event) {
    if (event.pointerId !== this.pointer) return;
    event.preventDefault();
    const box = this.stick.getBoundingClientRect();
    const reach = box.width * 0.42;
    const right = (event.clientX - box.left - box.width / 2) / reach;
    const down = (event.clientY - box.top - box.height / 2) / reach;
    const length = Math.max(1, Math.hypot(right, down));
    const left = curve(-right / length);
    this.#hold('touch', curve(-down / length), this.aside ? 0 : left, this.aside ? left : 0);
  }

  #key(event, down) {
    this.slow = event.shiftKey;
    if (!this.#vector(event.code)) {
      if (this.source === 'keys') this.#keysChanged();
      return;
    }
    if (down && (event.ctrlKey || event.altKey || event.metaKey)) return;
    const focus = document.activeElement;
    const typing = focus && (focus.tagName === 'INPUT' && focus.type !== 'range');
    const arrows = event.code.startsWith('Arrow') && focus && focus.tagName === 'INPUT';
    if (down && (typing || arrows)) return;
    // A repeat is no press: after a loss the finger has to come up first.
    if (down && !this.keys.has(event.code) && (event.repeat || !this.enabled)) return;
    if (down) this.keys.add(event.code);
    else if (!this.keys.delete(event.code)) return;
    event.preventDefault();
    this.#keysChanged();
  }

  #keysChanged() {
    if (this.keys.size === 0) {
      this.#end('keys');
      return;
    }
    let x = 0;
    let y = 0;
    let side = 0;
    for (const code of this.keys) {
      const [ahead, left, aside] = this.#vector(code);
      x += ahead;
      y += left;
      side += aside;
    }
    const scale = this.slow ? 0.5 : 1;
    this.#hold('keys', clamp(x) * scale, clamp(y) * scale, clamp(side) * scale);
  }

  #vector(code) {
    return DRIVE_KEYS[code] || (this.sideways ? SIDE_KEYS[code] : undefined);
  }

  // Gamepads have no events: call this with each picture of the screen.
  poll() {
    const pads = navigator.getGamepads ? [...navigator.getGamepads()] : [];
    const pad = pads.find((entry) => entry && entry.connected);
    const shoulder = pad && (pad.buttons[4]?.pressed || pad.buttons[5]?.pressed);
    if (!shoulder) {
      this.padBlocked = false;
      this.#end('gamepad');
    } else if (!this.enabled || !document.hasFocus()) {
      this.padBlocked = true;
    } else if (!this.padBlocked) {
      this.#hold('gamepad', curve(-pad.axes[1]), curve(-pad.axes[0]), curve(-(pad.axes[2] || 0)));
    }
  }
}
