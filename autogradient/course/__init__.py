"""A course: its settings, who takes it, what people decided, and the marks that come of it all."""
