"""Settings for all nodes that follow in the same scope."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.action import Action
from s2e_bare.launch.substitution import SomeSubstitutionsType, perform_text
from s2e_bare.launch_ros import names
from s2e_bare.launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from s2e_bare.launch_ros.parameter_values import evaluate_value

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

PARAMETERS_KEY = 'global_params'
REMAPS_KEY = 'ros_remaps'


def _append(context: LaunchContext, key: str, entry: object) -> None:
    """Append to a list in the configurations; a new list, so that scopes can restore the old."""
    configurations = context.launch_configurations
    configurations[key] = [*configurations.get(key, ()), entry]


class PushRosNamespace(Action):
    """Puts the nodes that follow below a namespace."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Hold the namespace; an absolute one replaces those before."""
        super().__init__(**kwargs)
        self._namespace = namespace

    def execute(self, context: LaunchContext) -> None:
        """Extend the namespace."""
        joined = names.join_namespace(
            names.current_namespace(context), perform_text(context, self._namespace)
        )
        if joined:
            context.launch_configurations[names.NAMESPACE_KEY] = names.absolute(joined)


PushROSNamespace = PushRosNamespace


class SetParameter(Action):
    """Sets a parameter of all nodes that follow; a node's own settings win."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        """Hold name and value."""
        super().__init__(**kwargs)
        self._name = name
        self._value = value

    def execute(self, context: LaunchContext) -> None:
        """Add the parameter."""
        value = self._value
        typed = isinstance(value, ParameterValue)
        found = value.evaluate(context) if typed else evaluate_value(context, value)
        _append(context, PARAMETERS_KEY, (perform_text(context, self._name), found))


class SetUseSimTime(SetParameter):
    """Sets `use_sim_time` of all nodes that follow."""

    def __init__(self, value: Any, **kwargs: Any) -> None:
        """Hold the value."""
        super().__init__('use_sim_time', value, **kwargs)


class SetParametersFromFile(Action):
    """Gives a parameter file to all nodes that follow; a node's own settings win."""

    def __init__(self, filename: SomeSubstitutionsType | ParameterFile, **kwargs: Any) -> None:
        """Hold the path."""
        super().__init__(**kwargs)
        self._file = filename

    def execute(self, context: LaunchContext) -> None:
        """Add the file.

        Raises:
            FileNotFoundError: There is no such file.
        """
        file = self._file if isinstance(self._file, ParameterFile) else ParameterFile(self._file)
        path: Path = file.evaluate(context)
        if not path.is_file():
            raise FileNotFoundError(f'SetParametersFromFile: no file {str(path)!r}')
        _append(context, PARAMETERS_KEY, str(path))


class SetRemap(Action):
    """Remaps a name in all nodes that follow; as upstream it wins over a node's own rule."""

    def __init__(
        self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, **kwargs: Any
    ) -> None:
        """Hold both names."""
        super().__init__(**kwargs)
        self._src = src
        self._dst = dst

    def execute(self, context: LaunchContext) -> None:
        """Add the rule."""
        rule = (perform_text(context, self._src), perform_text(context, self._dst))
        _append(context, REMAPS_KEY, rule)


class SetROSLogDir(Action):
    """Lets the nodes that follow log into another folder."""

    def __init__(self, new_log_dir: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Hold the folder."""
        super().__init__(**kwargs)
        self._folder = new_log_dir

    def execute(self, context: LaunchContext) -> None:
        """Set ROS_LOG_DIR."""
        context.environment['ROS_LOG_DIR'] = perform_text(context, self._folder)
