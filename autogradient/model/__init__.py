"""What the house speaks of: assignments, results, points, the code of tests."""
