"""Several outcomes together: effects of the same places correlated across outcomes, each outcome fitted by itself."""
