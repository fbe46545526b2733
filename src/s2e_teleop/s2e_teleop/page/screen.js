// What the camera sees: JPEGs of the WebSocket on a canvas, or the video of WebRTC, and the
// policy drawn over either.

const MAGIC = 0x53324556;
const HEADER = 20;
const $ = (id) => document.getElementById(id);

export class Screen {
  constructor(confirm, note) {
    this.confirm = confirm;
    this.note = note;
    this.shownAt = null;
    this.overlay = null;
    this.modes = false;
    this.pending = null;
    this.aspect = 0;
  }

  // --- JPEGs ---

  async takeFrame(buffer) {
    const head = new DataView(buffer);
    if (buffer.byteLength < HEADER || head.getUint32(0) !== MAGIC) return;
    const frame = { number: head.getUint32(4) };
    try {
      frame.bitmap = await createImageBitmap(
        new Blob([buffer.slice(HEADER)], { type: 'image/jpeg' }));
    } catch {
      this.note('A picture could not be decoded.');
      return;
    }
    // Only the newest is shown, but each is confirmed, or the robot would wait for it.
    if (this.pending) {
      this.confirm(this.pending.number);
      this.pending.bitmap.close();
    }
    this.pending = frame;
    if (document.hidden) this.paint();
  }

  paint() {
    if (!this.pending) return;
    const { bitmap, number } = this.pending;
    this.pending = null;
    const canvas = $('video');
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    this.shown(bitmap.width, bitmap.height);
    bitmap.close();
    this.confirm(number);
  }

  // --- either ---

  shown(width, height) {
    this.shownAt = performance.now();
    if (Math.abs(width / height - this.aspect) < 0.01) return;
    this.aspect = width / height;
    $('stage').style.setProperty('--aspect', this.aspect);
    this.draw();
  }

  // Seconds since the last picture; 0 before the first: who never saw one drives by sight.
  get gap() {
    return this.shownAt === null ? 0 : (performance.now() - this.shownAt) / 1000;
  }

  // Whether the video of WebRTC lies over the canvas.
  stream(on) { $('stream').hidden = !on; }

  draw() {
    const canvas = $('overlay');
    const scale = Math.min(2, devicePixelRatio);
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale));
    if (!this.modes || !this.overlay) return;
    const ink = canvas.getContext('2d');
    ink.lineCap = ink.lineJoin = 'round';
    const place = ([u, v]) => [u * canvas.width, v * canvas.height];
    for (const line of this.overlay.lines) {
      ink.beginPath();
      line.points.forEach((point) => ink.lineTo(...place(point)));
      ink.lineWidth = (line.chosen ? 5 : 2) * scale;
      ink.strokeStyle = line.chosen ? '#3ecf6eee' : `rgba(90, 169, 255, ${0.2 + 0.6 * line.share})`;
      ink.stroke();
    }
    if (this.overlay.goal) {
      ink.beginPath();
      ink.arc(...place(this.overlay.goal), 9 * scale, 0, 2 * Math.PI);
      ink.lineWidth = 3 * scale;
      ink.strokeStyle = '#ffd34d';
      ink.stroke();
    }
  }
}
