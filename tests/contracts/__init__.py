"""Contracts: what others build on, checked from outside."""
