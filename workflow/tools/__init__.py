"""Programs beside the workflow: `python -m workflow.tools.<name>`."""
