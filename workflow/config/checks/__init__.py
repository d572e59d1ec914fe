"""Whether the entries of a configuration fit each other: `sections.mistakes` asks all checks, stage by stage."""
