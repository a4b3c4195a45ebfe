"""Values across the boundary between the trusted and the untrusted side."""
