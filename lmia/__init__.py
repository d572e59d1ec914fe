"""Label-only membership inference: query a frozen model, keep the answers, score membership."""
