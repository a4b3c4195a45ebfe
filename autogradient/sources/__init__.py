"""Instructor notebooks, of our format and of others, to assignments; assignments to releases."""
