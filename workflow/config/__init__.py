"""The configuration: read, checked, and turned into file names and params."""
