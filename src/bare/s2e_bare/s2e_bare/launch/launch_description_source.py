"""Base of what a launch description can be loaded from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2e_bare.errors import PackageNotFoundError
from s2e_bare.launch.launch_description import LaunchDescription
from s2e_bare.launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext


class LaunchDescriptionSource:
    """A place from which a launch description is loaded once."""

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = '<script>',
        method: str = 'unspecified mechanism from a script',
    ) -> None:
        """Hold a description, or the place to load it from."""
        self._description = launch_description
        self._location: list[Substitution] = normalize_to_list_of_substitutions(location)
        self._expanded: str | None = None
        self.method = method

    @property
    def location(self) -> str:
        """Place as text, once it is known; its description before."""
        return self._expanded or describe_substitutions(self._location)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Load the description, or give the one loaded before."""
        if self._expanded is None:
            self._expanded = perform_substitutions(context, self._location)
        if self._description is None:
            with context.user_code():
                self._description = self._load(self._expanded)
        return self._description

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """Load the description if its place depends on nothing that a launch sets."""
        from s2e_bare.launch.launch_context import LaunchContext
        from s2e_bare.launch.substitution import SubstitutionFailure

        try:
            return self.get_launch_description(LaunchContext())
        except (SubstitutionFailure, PackageNotFoundError, OSError):
            return None

    def _load(self, location: str) -> LaunchDescription:
        raise TypeError(f'{type(self).__name__} cannot load {location!r}')
