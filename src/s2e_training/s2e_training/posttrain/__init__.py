"""Post-training: PPO on what the policy executes, or supervised fine-tuning for comparison."""
