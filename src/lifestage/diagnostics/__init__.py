"""Prior and posterior predictive checks, and export to ArviZ."""
