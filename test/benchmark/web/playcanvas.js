// PlayCanvas engine, WebGL2: splats are sorted in a worker and drawn as instanced quads.
import * as pc from 'playcanvas';

export async function open(canvas, url, { width, height, near, far, background, classic }) {
  const device = await pc.createGraphicsDevice(canvas, {
    deviceTypes: [pc.DEVICETYPE_WEBGL2], antialias: false, alpha: false,
  });
  const options = new pc.AppOptions();
  options.graphicsDevice = device;
  options.componentSystems = [pc.CameraComponentSystem, pc.GSplatComponentSystem];
  options.resourceHandlers = [pc.GSplatHandler];
  const app = new pc.AppBase(canvas);
  app.init(options);
  app.autoRender = false;
  app.setCanvasFillMode(pc.FILLMODE_NONE, width, height);
  app.setCanvasResolution(pc.RESOLUTION_FIXED, width, height);
  app.start();
  // Nothing is left out for being small or faint, as in the pictures that it is compared with.
  app.scene.gsplat.minPixelSize = 0;
  app.scene.gsplat.minContribution = 0;
  if (classic) {
    // Its covariances are in half pixels, so 0.3 is a filter of 0.075 pixel^2; 1.2 is 0.3.
    const chunks = pc.ShaderChunks.get(device, pc.SHADERLANGUAGE_GLSL);
    const corner = chunks.get('gsplatCornerVS');
    if (!corner.includes('+ 0.3')) throw new Error('the screen filter was not found');
    chunks.set('gsplatCornerVS', corner.replaceAll('+ 0.3', '+ 1.2'));
  }
  const asset = new pc.Asset('scene', 'gsplat', { url });
  await new Promise((resolve, reject) => {
    asset.once('load', resolve);
    asset.once('error', reject);
    app.assets.add(asset);
    app.assets.load(asset);
  });
  const splats = new pc.Entity('splats');
  splats.addComponent('gsplat', { asset });
  app.root.addChild(splats);
  const eye = new pc.Entity('eye');
  eye.addComponent('camera', {
    clearColor: new pc.Color(...background), nearClip: near, farClip: far,
    toneMapping: pc.TONEMAP_NONE, gammaCorrection: pc.GAMMA_SRGB,
  });
  app.root.addChild(eye);
  const managers = () => [...app.renderer.gsplatDirector.camerasMap.values()]
    .flatMap((data) => [...data.layersMap.values()].map((layer) => layer.gsplatManager));
  const sorted = () => new Promise((resolve) => app.scene.once('gsplat:sorted', resolve));
  const pose = new pc.Mat4();
  const turn = new pc.Quat();
  const viewer = {
    gl: device.gl,
    place({ matrix, fovY }) {
      pose.set(matrix);
      eye.setPosition(pose.getTranslation());
      eye.setRotation(turn.setFromMat4(pose));
      eye.camera.fov = fovY;
    },
    async sort() {
      for (const manager of managers()) {
        // Only views along another direction need another order: it sorts by depth along it.
        manager.update();
        if (manager.cpuSorter.jobsInFlight > 0) await sorted();
      }
    },
    draw() {
      app.render();
    },
  };
  // The first frames build the manager, upload the splats and ask for the first order.
  for (let frame = 0; frame < 8; frame++) {
    app.render();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return viewer;
}
