"""Cheating, prying and broken submissions, and the harness that grades them: `python -m
tests.attacks`.
"""
