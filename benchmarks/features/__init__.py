"""Measure the speed of the features: ``python -m benchmarks.features`` prints Markdown."""
