"""Where free distance comes from on a robot: scanners, depth images, maps, the policy itself."""
