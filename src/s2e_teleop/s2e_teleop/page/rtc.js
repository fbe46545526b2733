// WebRTC, where it can be had: video down, and a second way up for commands, on which a lost one
// holds up nothing. Whatever goes wrong, the WebSocket still carries both.

const CONNECT_MS = 10000;
const STALL_MS = 800;
const STEADY = 5;
const RETRY_MS = 15000;
const RETRY_MOST_MS = 120000;
const BUFFER = 2048;

export class Rtc {
  // video: element that shows it; send(type, values): by the WebSocket;
  // shown(width, height): a picture is on the screen; changed(): see `active` and `why`.
  constructor(video, send, shown, changed) {
    this.video = video;
    this.send = send;
    this.shown = shown;
    this.changed = changed;
    this.active = false;
    this.why = '';
    this.info = null;
    this.pc = null;
    this.channel = null;
    this.timer = null;
    this.wait = RETRY_MS;
    this.newest = 0;
    this.steady = 0;
    this.presented = 0;
  }

  // Whether commands have the second way.
  get quick() { return this.channel !== null && this.channel.readyState === 'open'; }

  // The robot's welcome says whether there is any.
  start(info) {
    this.stop();
    this.info = info;
    this.wait = RETRY_MS;
    if (!info.on) this.#say(info.why);
    else if (!('RTCPeerConnection' in window)) this.#say('not in this browser');
    else if (!('requestVideoFrameCallback' in this.video)) this.#say('not in this browser');
    else this.#offer();
  }

  // The WebSocket is gone, and with it whoever would answer.
  stop() {
    clearTimeout(this.timer);
    this.#drop();
    this.#say('');
  }

  async answer(message) {
    if (!this.pc) return;
    if (!message.sdp) {
      this.#fail(message.why);
      return;
    }
    const pc = this.pc;
    try {
      await pc.setRemoteDescription({ type: 'answer', sdp: message.sdp });
    } catch (error) {
      if (pc === this.pc) this.#fail(`answer not understood: ${error.message}`);
    }
  }

  // A command: true if it was sent this way. A full buffer only makes commands old.
  command(text) {
    if (!this.quick || this.channel.bufferedAmount > BUFFER) return false;
    this.channel.send(text);
    return true;
  }

  // Call with each picture of the screen. others: whether pictures come by the WebSocket.
  watch(others) {
    const gap = performance.now() - this.newest;
    if (!this.pc || document.hidden || gap < STALL_MS) return;
    this.steady = 0;
    if (this.active) {
      this.active = false;
      this.#say('no pictures came');
    } else if (others && gap > CONNECT_MS && this.pc.connectionState === 'connected') {
      this.#fail('no pictures came');
    }
  }

  async #offer() {
    const pc = new RTCPeerConnection({ iceServers: this.info.ice, bundlePolicy: 'max-bundle' });
    this.pc = pc;
    this.newest = performance.now();
    this.timer = setTimeout(() => {
      // Without a camera there is a connection and no picture.
      if (pc.connectionState !== 'connected') this.#fail('no connection: is UDP blocked?');
    }, CONNECT_MS);
    const receiver = pc.addTransceiver('video', { direction: 'recvonly' });
    const codecs = RTCRtpReceiver.getCapabilities('video').codecs
      .filter((codec) => ['video/VP8', 'video/rtx'].includes(codec.mimeType));
    receiver.setCodecPreferences?.(codecs);
    // Show each picture as soon as it is whole.
    receiver.receiver.jitterBufferTarget = 0;
    this.channel = pc.createDataChannel('commands', { ordered: false, maxRetransmits: 0 });
    pc.ontrack = (event) => {
      this.video.srcObject = new MediaStream([event.track]);
      this.video.play().catch(() => {});
      this.#next(pc);
    };
    pc.onconnectionstatechange = () => {
      if (pc === this.pc && ['failed', 'closed'].includes(pc.connectionState)) {
        this.#fail('the connection ended');
      }
    };
    try {
      await pc.setLocalDescription();
      if (this.info.ice.length) await gathered(pc);
      if (pc === this.pc) this.send('offer', { sdp: pc.localDescription.sdp });
    } catch (error) {
      if (pc === this.pc) this.#fail(error.message);
    }
  }

  #next(pc) {
    this.video.requestVideoFrameCallback((_, frame) => {
      if (pc !== this.pc) return;
      this.#picture(frame);
      this.#next(pc);
    });
  }

  #picture(frame) {
    const now = performance.now();
    this.newest = now;
    this.steady += 1;
    if (!this.active && this.steady >= STEADY) {
      clearTimeout(this.timer);
      this.wait = RETRY_MS;
      this.active = true;
      this.#say('');
    }
    if (this.active) this.shown(frame.width, frame.height);
    // The robot sends the next when it hears of this one; some browsers may skip a few.
    if (frame.rtpTimestamp === undefined) return;
    const frames = Math.max(1, Math.min(1000, frame.presentedFrames - this.presented));
    this.presented = frame.presentedFrames;
    this.send('streamed', { rtp: frame.rtpTimestamp, t: now, frames });
  }

  #fail(why) {
    this.#drop();
    this.send('offer', { sdp: '' });
    this.#say(why);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#offer(), this.wait);
    this.wait = Math.min(RETRY_MOST_MS, 2 * this.wait);
  }

  #drop() {
    const { pc } = this;
    this.pc = this.channel = null;
    this.active = false;
    this.steady = this.presented = 0;
    this.video.srcObject = null;
    if (pc) pc.close();
  }

  #say(why) {
    this.why = why;
    this.changed();
  }
}

function gathered(pc) {
  return new Promise((done) => {
    setTimeout(done, 2000);
    pc.onicegatheringstatechange = () => {
      if (pc.iceGatheringState === 'complete') done();
    };
  });
}
