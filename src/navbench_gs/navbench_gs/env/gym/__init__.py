"""The benchmark as a Gymnasium environment; importing this registers `NavBenchGS-v0`.

    import gymnasium
    import navbench_gs.env.gym

    env = gymnasium.make('NavBenchGS-v0', scenes='city:1000-1009', tasks='obstacle')
    envs = gymnasium.make_vec('NavBenchGS-v0', num_envs=8, scenes='city:1000-1009')

Everything that may be chosen is a field of `EnvOptions`.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

from navbench_gs.env.gym.options import EnvOptions
from navbench_gs.env.gym.reward import RewardWeights
from navbench_gs.env.gym.single import NavBenchEnv
from navbench_gs.env.gym.vector import NavBenchVectorEnv

ENV_ID = 'NavBenchGS-v0'

if ENV_ID not in registry:
    register(
        ENV_ID,
        entry_point='navbench_gs.env.gym.single:NavBenchEnv',
        vector_entry_point='navbench_gs.env.gym.vector:NavBenchVectorEnv',
    )

__all__ = ['ENV_ID', 'EnvOptions', 'NavBenchEnv', 'NavBenchVectorEnv', 'RewardWeights']
