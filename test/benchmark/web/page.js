// Fetches commands from the benchmark, carries them out with a viewer and posts the answers.
//
// A viewer is an object of
//   place(camera)     moves the camera; no drawing
//   async sort()      resolves when the draw order of this camera has arrived
//   draw()            draws one frame
//   gl                its WebGL2 context
// Pixels are read from the canvas in the task that drew them, so they are those of this frame.

let viewer = null;
let pixels = null;

function read(gl) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE,
    pixels);
}

function readOne(gl) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  // One pixel cannot be had before the whole frame is drawn; gl.finish() alone may return early.
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
}

const nextTask = () => new Promise((resolve) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => resolve();
  channel.port2.postMessage(0);
});

const commands = {
  async open(options) {
    const { width, height } = options;
    const canvas = document.getElementById('canvas');
    canvas.width = width;
    canvas.height = height;
    const { open } = await import('/playcanvas.js');
    viewer = await open(canvas, '/scene.ply', options);
    pixels = new Uint8Array(width * height * 4);
    const debug = viewer.gl.getExtension('WEBGL_debug_renderer_info');
    return {
      device: viewer.gl.getParameter(debug.UNMASKED_RENDERER_WEBGL),
      size: [viewer.gl.drawingBufferWidth, viewer.gl.drawingBufferHeight],
    };
  },

  // Every frame whole: its own draw order, drawn, read back. Milliseconds of each step.
  async settled({ cameras }) {
    const sort = [];
    const draw = [];
    for (const camera of cameras) {
      const begun = performance.now();
      viewer.place(camera);
      await viewer.sort();
      const sorted = performance.now();
      viewer.draw();
      read(viewer.gl);
      draw.push(performance.now() - sorted);
      sort.push(sorted - begun);
    }
    return { sort, draw };
  },

  // As the viewer does it: draw with the newest order that has arrived, read nothing.
  async free({ cameras }) {
    const begun = performance.now();
    for (const camera of cameras) {
      viewer.place(camera);
      viewer.draw();
      await nextTask();
    }
    readOne(viewer.gl);
    return { total: performance.now() - begun };
  },

  async picture({ camera }) {
    viewer.place(camera);
    await viewer.sort();
    viewer.draw();
    read(viewer.gl);
    await fetch('/picture', { method: 'POST', body: pixels });
    return {};
  },
};

for (;;) {
  const command = await (await fetch('/next')).json();
  if (command.do === 'wait') continue;
  let answer;
  try {
    answer = await commands[command.do](command);
  } catch (error) {
    answer = { error: `${error}\n${error.stack}` };
  }
  await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
}
