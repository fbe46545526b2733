"""NavBench-GS: a navigation benchmark in 3D Gaussian Splatting scenes."""
