"""Programs beside the workflow, that no job runs."""
