"""Reads the imports and literals of every source file, for the rules of test_layering.py."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = {
    's2e_core': ROOT / 'src' / 's2e_core' / 's2e_core',
    's2e_policy': ROOT / 'src' / 's2e_policy' / 's2e_policy',
    'navbench_gs': ROOT / 'src' / 'navbench_gs' / 'navbench_gs',
    's2e_training': ROOT / 'src' / 's2e_training' / 's2e_training',
    's2e_teleop': ROOT / 'src' / 's2e_teleop' / 's2e_teleop',
    's2e_nav': ROOT / 'src' / 's2e_nav' / 's2e_nav',
    's2e_cli': ROOT / 'src' / 's2e_cli' / 's2e_cli',
    's2e_bare': ROOT / 'src' / 'bare' / 's2e_bare' / 's2e_bare',
    's2e_workspace': ROOT / 'src' / 'bare' / 'workspace' / 's2e_workspace',
}


@dataclass(frozen=True)
class Import:
    """One imported top-level module."""

    path: Path
    line: int
    module: str
    lazy: bool
    """Whether it runs only when a function is called, or never (TYPE_CHECKING)."""

    def __str__(self) -> str:
        return f'{self.path}:{self.line} imports {self.module}'


def sources(package: str) -> list[Path]:
    """Return the source files of a package; none if the package is not there."""
    return sorted(PACKAGES[package].rglob('*.py'))


def parse(path: Path) -> ast.Module:
    """Parse a source file."""
    return ast.parse(path.read_text(encoding='utf-8'), filename=str(path))


def imports(path: Path, tree: ast.Module | None = None) -> list[Import]:
    """Return every import of a file, also those inside functions; relative ones are its own."""
    found: list[Import] = []
    place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path

    def visit(node: ast.AST, lazy: bool) -> None:
        for child in ast.iter_child_nodes(node):
            names: list[str] = []
            if isinstance(child, ast.Import):
                names = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
                names = [child.module]
            elif isinstance(child, ast.Call) and _imports_by_name(child):
                names = [child.args[0].value]
            found.extend(Import(place, child.lineno, name, lazy) for name in names)
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            visit(child, lazy or inside or _type_checking(child))

    visit(tree if tree is not None else parse(path), False)
    return found


def literals(tree: ast.Module) -> list[tuple[int, str]]:
    """Return the string literals of a file with their lines, without the docstrings."""
    documents = set()
    for node in ast.walk(tree):
        body = getattr(node, 'body', None)
        if isinstance(body, list):
            documents.update(id(s.value) for s in body if isinstance(s, ast.Expr))
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
    ]


def calls(tree: ast.Module, name: str) -> list[int]:
    """Return the lines on which a plain function is called by name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def clock_reads(tree: ast.Module) -> list[int]:
    """Return the lines that call a clock: `time.*` readers and `datetime.now` and its kin."""
    readers = {'time', 'time_ns', 'monotonic', 'monotonic_ns', 'perf_counter', 'perf_counter_ns'}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (
            (node.func.value.id == 'time' and node.func.attr in readers)
            or (node.func.value.id == 'datetime' and node.func.attr in {'now', 'utcnow', 'today'})
        )
    ]


def _imports_by_name(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, 'id', '')
    return (
        name in {'import_module', '__import__', 'importorskip'}
        and bool(call.args)
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    )


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)
