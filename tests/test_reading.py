"""How the source reads: short files, short lines, few comprehensions."""

from __future__ import annotations

import ast
import statistics
from functools import cache

from tests.test_layers import FILES, ROOT

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@cache
def code_lines(source: str) -> list[str]:
    """Lines that are neither empty, nor a comment, nor part of a docstring."""
    texts: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            texts.update(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    code = [line for number, line in lines if number not in texts and line.strip()]
    return [line for line in code if not line.lstrip().startswith("#")]


SOURCES = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in FILES}


def comprehensions(source: str) -> list[ast.expr]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, COMPREHENSIONS)]


def test_code_lines_are_code() -> None:
    source = '"""Text\nof two lines."""\n\n# a remark\nx = 1  # one\n\ndef f():\n    "Text."\n'
    assert code_lines(source) == ["x = 1  # one", "def f():"]


def test_no_file_is_over_300_lines() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_half_of_the_files_are_short() -> None:
    assert statistics.median(len(source.splitlines()) for source in SOURCES.values()) <= 130


def test_no_line_is_over_100_characters() -> None:
    long = [
        f"{name}:{number}"
        for name, source in SOURCES.items()
        for number, line in enumerate(source.splitlines(), 1)
        if len(line) > 100
    ]
    assert long == []


def test_a_code_line_has_42_characters_on_average() -> None:
    lengths = [len(line) for source in SOURCES.values() for line in code_lines(source)]
    assert statistics.mean(lengths) <= 42


def test_comprehensions_are_rare() -> None:
    count = sum(len(comprehensions(source)) for source in SOURCES.values())
    lines = sum(len(code_lines(source)) for source in SOURCES.values())
    assert 100 * count / lines <= 2.5


def test_no_comprehension_holds_another() -> None:
    nested = [
        f"{name}:{node.lineno}"
        for name, source in SOURCES.items()
        for node in comprehensions(source)
        if any(isinstance(each, COMPREHENSIONS) for each in ast.walk(node) if each is not node)
    ]
    assert nested == []
