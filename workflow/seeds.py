"""Blocks of seeds as the configuration writes them. Every script reads them, so nothing else belongs here."""


def seed_list(block):
    """[0, 1, 2] for the block "0-2", [6] for 6."""
    first, _, last = str(block).partition("-")
    return list(range(int(first), int(last or first) + 1))
