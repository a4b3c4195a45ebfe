"""`python -m autogradient`."""

from autogradient.cli import main

main()
