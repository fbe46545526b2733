"""Policy bundles: read, verified against their hashes, and replayed before use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from s2e_core.contract import PolicySpec
from s2e_policy.errors import PolicyError
from s2e_policy.manifest import (
    BUNDLE_FILES,
    MANIFEST_FILE,
    STREAMING_FILE,
    WEIGHTS_FILE,
    WINDOW_FILE,
    Manifest,
    read_manifest,
)
from s2e_policy.reference import replay

MODES = ('window', 'streaming')
"""The two graphs of a bundle."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are what ``bundle.yaml`` says."""

    root: Path
    """Its folder."""
    manifest: Manifest
    """Its description."""
    window: bytes
    """The window graph."""
    streaming: bytes
    """The streaming graph."""
    weights: bytes
    """Tensors of both graphs."""

    @property
    def spec(self) -> PolicySpec:
        """What the policy needs to be fed."""
        m = self.manifest
        return PolicySpec(
            m.name, m.images.frames, m.images.camera, m.v_max, m.w_max, mount=m.images.mount,
            coverage=m.images.coverage, unseen=m.images.unseen, vote=m.output.vote,
            memory=m.output.memory,
        )

    def graph(self, mode: str) -> tuple[Path, bytes]:
        """Return path and bytes of a graph.

        Raises:
            PolicyError: No such graph.
        """
        if mode not in MODES:
            raise PolicyError(f'mode must be one of {list(MODES)}, got {mode!r}')
        if mode == 'window':
            return self.root / WINDOW_FILE, self.window
        return self.root / STREAMING_FILE, self.streaming


def load_bundle(path: Path | str, *, replay_reference: bool = True) -> Bundle:
    """Load a bundle.

    Args:
        path: Its folder.
        replay_reference: Whether both graphs are run on the stored inputs and compared.

    Raises:
        PolicyError: Naming the file, the rule and what was found.
    """
    root = Path(path)
    if not root.is_dir():
        raise PolicyError(f'{root}: a policy bundle is a folder, this is none')
    # A colcon symlink install links every file: the bundle is where its manifest really lies.
    if (root / MANIFEST_FILE).is_symlink():
        root = (root / MANIFEST_FILE).resolve().parent
    manifest = read_manifest(root)
    contents = {name: _verified(root / name, manifest) for name in BUNDLE_FILES}
    bundle = Bundle(
        root, manifest, contents[WINDOW_FILE], contents[STREAMING_FILE], contents[WEIGHTS_FILE]
    )
    if replay_reference:
        replay(bundle)
    return bundle


def _verified(path: Path, manifest: Manifest) -> bytes:
    """Read a file if size and hash are those of the manifest."""
    entry = manifest.files[path.name]
    if path.is_symlink() or not path.is_file():
        raise PolicyError(f'{path}: must be a plain file of the bundle, and is missing or a link')
    size = path.stat().st_size
    if size != entry.bytes:
        raise PolicyError(f'{path}: must have {entry.bytes} bytes, got {size}')
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256:
        raise PolicyError(
            f'{path}: sha256 must be {entry.sha256}, got {digest}; the file was changed or '
            'damaged, fetch the bundle again'
        )
    return data
