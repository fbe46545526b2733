"""Stand-in for the part of `launch.utilities` that launch files use."""

from __future__ import annotations

from s2e_bare.launch.substitution import (
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from s2e_bare.unsupported import refuse_unknown

__all__ = ['normalize_to_list_of_substitutions', 'perform_substitutions']

__getattr__ = refuse_unknown('launch.utilities')
