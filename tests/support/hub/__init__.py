"""A small GitHub for tests: it keeps state, and refuses whatever GitHub's own description of its
API does not know.
"""
