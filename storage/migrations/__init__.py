"""Migrations of the results, in order. A revision is never changed once released; ``storage.database`` runs them."""
