"""One literal or operator of a source changed: an edit that changes what the module means."""

import ast

from workflow.harness import parsed_sources


def mutated(source, draw):
    """A source with one literal or operator changed, None where it has none outside docstrings."""
    tree = ast.parse(source)
    documented = {id(node.body[0].value) for node in ast.walk(tree) if parsed_sources._has_docstring(node)}
    spots = [node for node in ast.walk(tree) if id(node) not in documented and _can_change(node)]
    if not spots:
        return None
    _change(draw.choice(spots))
    return ast.unparse(tree)


def _can_change(node):
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | int | float) and node.value is not Ellipsis
    return isinstance(node, ast.BinOp | ast.Compare)


def _change(node):
    if isinstance(node, ast.Constant):
        old = node.value
        node.value = not old if isinstance(old, bool) else old + "x" if isinstance(old, str) else old + 1
    elif isinstance(node, ast.BinOp):
        node.op = ast.Add() if isinstance(node.op, ast.Sub) else ast.Sub()
    else:
        node.ops[0] = ast.Is() if isinstance(node.ops[0], ast.Lt) else ast.Lt()
