"""Special functions, distinct rows, quadrature and intervals; no word of the domain."""
