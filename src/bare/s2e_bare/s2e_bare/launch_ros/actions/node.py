"""The action that runs a ROS node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from s2e_bare.launch.actions.execute_process import ExecuteProcess
from s2e_bare.launch.logging import get_logger
from s2e_bare.launch.substitution import SomeSubstitutionsType, perform_text
from s2e_bare.launch_ros import names
from s2e_bare.launch_ros.actions.globals import PARAMETERS_KEY, REMAPS_KEY
from s2e_bare.launch_ros.parameter_descriptions import Parameter, ParameterFile, write_parameters
from s2e_bare.launch_ros.parameter_values import Value, evaluate_parameters
from s2e_bare.launch_ros.substitutions import ExecutableInPackage

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext

Parameters = Iterable[SomeSubstitutionsType | Mapping[Any, Any] | Parameter | ParameterFile]
Remappings = Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]


class Node(ExecuteProcess):
    """Runs an executable of a package with node name, namespace, parameters and remappings."""

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Parameters | None = None,
        remappings: Remappings | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold the node's description.

        Args:
            executable: Name in the package, or a program where no package is given.
            package: Package of the executable.
            name: Name to give the node.
            namespace: Namespace to give the node, below that of PushRosNamespace.
            exec_name: Name of the process in messages.
            parameters: Files and dictionaries; later ones win.
            remappings: Pairs of names.
            ros_arguments: Further arguments after `--ros-args`.
            arguments: The program's own arguments.
            **kwargs: As of ExecuteProcess.

        Raises:
            TypeError: `parameters` is not a list, or `arguments` is one string.
        """
        for word, value in (('arguments', arguments), ('ros_arguments', ros_arguments)):
            if isinstance(value, str):
                raise TypeError(f'Node: {word} must be a list, got {value!r}')
        if parameters is not None and (
            isinstance(parameters, str) or not isinstance(parameters, Sequence)
        ):
            raise TypeError(f'Node: parameters must be a list, got {parameters!r}')
        program: SomeSubstitutionsType = executable
        if package is not None:
            program = ExecutableInPackage(executable=executable, package=package)
        super().__init__(cmd=[program, *(arguments or ())], name=exec_name, **kwargs)
        self._name = name
        self._namespace = namespace
        self._parameters = list(parameters or ())
        self._remappings = list(remappings or ())
        self._ros_arguments = list(ros_arguments or ())
        self._expanded_name: str | None = None
        self._expanded_namespace: str | None = None

    @property
    def node_name(self) -> str:
        """Full name of the node; parts that were not given read `<..._unspecified>`."""
        namespace = self._expanded_namespace or '/<node_namespace_unspecified>'
        return f'{namespace.rstrip("/")}/{self._expanded_name or "<node_name_unspecified>"}'

    @property
    def expanded_node_namespace(self) -> str:
        """Namespace, once the action ran."""
        return self._expanded_namespace or '<node_namespace_unspecified>'

    def execute(self, context: LaunchContext) -> None:
        """Work out the node's arguments and start it."""
        if context.is_shutdown:
            return
        self.expand_names(context)
        command = self.process_description
        command.cmd = [*command.cmd, '--ros-args', *self.ros_arguments(context)]
        super().execute(context)

    def expand_names(self, context: LaunchContext) -> None:
        """Perform name and namespace.

        Raises:
            ValueError: One of them is not valid in ROS.
        """
        if self._name is not None:
            self._expanded_name = names.check_node_name(perform_text(context, self._name))
        own = None if self._namespace is None else perform_text(context, self._namespace)
        joined = names.join_namespace(names.current_namespace(context), own)
        if joined is not None:
            self._expanded_namespace = names.absolute(joined or '/')

    def ros_arguments(self, context: LaunchContext) -> list[str]:
        """Give what follows `--ros-args`, in upstream's order."""
        found = [perform_text(context, part) for part in self._ros_arguments]
        if self._expanded_name is not None:
            found += ['-r', f'__node:={self._expanded_name}']
        if self._expanded_namespace is not None:
            found += ['-r', f'__ns:={self._expanded_namespace}']
        found += self._global_parameters(context)
        for entry in self._parameters:
            found += self._parameter(context, entry)
        for source, target in self._all_remappings(context):
            found += ['-r', f'{source}:={target}']
        return found

    def _global_parameters(self, context: LaunchContext) -> list[str]:
        found: list[str] = []
        for entry in context.launch_configurations.get(PARAMETERS_KEY, ()):
            if isinstance(entry, tuple):
                found += ['-p', f'{entry[0]}:={yaml_text(entry[1])}']
            else:
                found += ['--params-file', str(entry)]
        return found

    def _parameter(self, context: LaunchContext, entry: Any) -> list[str]:
        if isinstance(entry, Parameter):
            name, value = entry.evaluate(context)
            return ['-p', f'{name}:={yaml_text(value)}']
        if isinstance(entry, Mapping):
            values = evaluate_parameters(context, entry)
            # Named in full where it is known: in a later file `/**` would lose against a
            # section of this name in an earlier one.
            known = self._expanded_name is not None and self._expanded_namespace is not None
            section = self.node_name if known else '/**'
            text = yaml.safe_dump({section: {'ros__parameters': values}}, sort_keys=False)
            return ['--params-file', str(write_parameters(text))] if values else []
        if isinstance(entry, ParameterFile):
            path = entry.evaluate(context)
        else:
            path = Path(perform_text(context, entry))
        if not path.is_file():
            get_logger('launch_ros').warning(f'Parameter file path is not a file: {path}')
        return ['--params-file', str(path)]

    def _all_remappings(self, context: LaunchContext) -> list[tuple[str, str]]:
        found = list(context.launch_configurations.get(REMAPS_KEY, ()))
        for source, target in self._remappings:
            found.append((perform_text(context, source), perform_text(context, target)))
        return found


def yaml_text(value: Value) -> str:
    """Write a value as YAML on one line, for `-p name:=value`."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float('inf'))
    return text.removesuffix('...\n').strip()
