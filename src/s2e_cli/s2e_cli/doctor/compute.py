"""What runs the policy, draws the splats and moves the bodies."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

from s2e_cli.doctor.check import Check, version_of

GROUP = 'compute'
RUNTIME = 'run `make setup` (requirements/runtime.txt)'
TRAINING = 'only for training: pip install -r requirements/training.txt'


def checks() -> Iterator[Check]:
    """Look at ONNX Runtime, the renderers, physics, video and training."""
    yield _onnxruntime()
    yield _library('numba', 'CPU renderer (numba)')
    yield _gpu_renderer()
    yield _library('mujoco', 'physics (MuJoCo)')
    yield _library('cv2', 'images (OpenCV)', 'opencv-python-headless', 'opencv-python')
    yield _library('av', 'video (PyAV)')
    yield _library('rosbags', 'recordings (rosbags)')
    yield _training()


def _library(module: str, title: str, *distributions: str) -> Check:
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # a library that is there but broken raises anything
        text = f'{type(error).__name__}: {error}'.splitlines()[0]
        return Check(GROUP, title, 'fail', text, RUNTIME)
    version = version_of(*(distributions or (module,))) or getattr(loaded, '__version__', '')
    return Check(GROUP, title, 'ok', str(version))


def _onnxruntime() -> Check:
    found = _library('onnxruntime', 'ONNX Runtime', 'onnxruntime', 'onnxruntime-gpu')
    if found.level != 'ok':
        return found
    import onnxruntime

    providers = [
        name.removesuffix('ExecutionProvider') for name in onnxruntime.get_available_providers()
    ]
    detail = f'{found.detail}, providers: {", ".join(providers)}'
    return Check(GROUP, found.name, 'ok', detail)


def _gpu_renderer() -> Check:
    title = 'GPU renderer (gsplat, CUDA)'
    from navbench_gs.errors import RenderError
    from navbench_gs.render.cuda import describe_device

    try:
        return Check(GROUP, title, 'ok', describe_device())
    except RenderError as error:
        return Check(GROUP, title, 'ok', f'absent, the CPU draws: {error}')


def _training() -> Check:
    if not _there('torch'):
        return Check(GROUP, 'training (torch)', 'ok', f'absent; {TRAINING}')
    if _there('torchvision'):
        # A torchvision wheel for another torch makes imports of both fail.
        return Check(
            GROUP,
            'training (torch)',
            'warn',
            'torchvision is installed',
            'nothing here uses it: pip uninstall torchvision',
        )
    return Check(GROUP, 'training (torch)', 'ok', str(version_of('torch')))


def _there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
