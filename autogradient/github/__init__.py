"""The course on GitHub: repositories for students, the release repository, and what was handed in.
All of it as data: nothing of a student's runs here.
"""
