"""Speed and memory of a whole run, measured from outside on invented dumps."""
