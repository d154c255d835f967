"""Tests: each states a promise in one sentence."""
