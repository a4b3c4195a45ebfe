"""One submission or many against an assignment: cells run, judges judge, verdicts are kept."""
