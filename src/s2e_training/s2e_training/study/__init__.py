"""Studies: one training varied, each variant with several seeds, all measured alike."""
