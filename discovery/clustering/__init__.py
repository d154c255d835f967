"""Clustering: the kinds of community there are, and whether they are kinds at all."""
