"""`python -m autogradient`."""

from autogradient.cli.main import main

main()
