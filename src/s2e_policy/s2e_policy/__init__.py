"""Load, verify and run S2E policy bundles with ONNX Runtime."""
