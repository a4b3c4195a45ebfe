"""The commands: thin, one function for each."""
