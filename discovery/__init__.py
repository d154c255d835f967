"""From the outside world to archetypes: sources, features, clustering, archetypes, and the story of one run."""
