"""What attacks on a given model come to: a verdict, and the records that are exposed."""
