"""Faults: what is killed, damaged, wrong or short, and what must be true afterwards."""
