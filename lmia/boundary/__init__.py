"""Searches for the decision boundary, and when they may stop."""
