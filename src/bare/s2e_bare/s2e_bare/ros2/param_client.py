"""The parameter services of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.session import Session


class ParamClient:
    """Asks one node about its parameters."""

    def __init__(self, session: Session, node: str) -> None:
        """Hold session and full node name."""
        self._session = session
        self.node = node

    def names(self, prefixes: Sequence[str] = ()) -> list[str]:
        """List the names of all parameters, or of those below prefixes."""
        from rcl_interfaces.srv import ListParameters

        request = ListParameters.Request(prefixes=list(prefixes))
        answer = self._call(ListParameters, 'list_parameters', request)
        return sorted(answer.result.names)

    def get(self, names: Sequence[str]) -> dict[str, Any]:
        """Get values as rcl_interfaces/msg/ParameterValue."""
        from rcl_interfaces.srv import GetParameters

        answer = self._call(
            GetParameters, 'get_parameters', GetParameters.Request(names=list(names))
        )
        return dict(zip(names, answer.values, strict=False))

    def types(self, names: Sequence[str]) -> dict[str, int]:
        """Get the types as rcl_interfaces/msg/ParameterType; 0 for unknown names."""
        from rcl_interfaces.srv import GetParameterTypes

        answer = self._call(
            GetParameterTypes,
            'get_parameter_types',
            GetParameterTypes.Request(names=list(names)),
        )
        # rclpy answers with an empty list when one of the names is unknown.
        types = list(answer.types) or [0] * len(names)
        return dict(zip(names, types, strict=True))

    def describe(self, names: Sequence[str]) -> list[Any]:
        """Get rcl_interfaces/msg/ParameterDescriptor of each."""
        from rcl_interfaces.srv import DescribeParameters

        request = DescribeParameters.Request(names=list(names))
        return list(self._call(DescribeParameters, 'describe_parameters', request).descriptors)

    def set(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Set parameters to ParameterValue messages; gives a SetParametersResult for each."""
        from rcl_interfaces.msg import Parameter
        from rcl_interfaces.srv import SetParameters

        parameters = [Parameter(name=name, value=value) for name, value in values.items()]
        request = SetParameters.Request(parameters=parameters)
        answer = self._call(SetParameters, 'set_parameters', request)
        return dict(zip(values, answer.results, strict=True))

    def _call(self, service_type: Any, service: str, request: Any) -> Any:
        answer = self._session.call(service_type, f'{self.node}/{service}', request)
        if answer is None:
            raise CommandError(f'node {self.node!r} gave no answer to {service}')
        return answer
