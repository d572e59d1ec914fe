"""From scores and membership to metrics with intervals, and to the paper's numbers beside ours."""
