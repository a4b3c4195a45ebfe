"""What students and staff read: the Markdown summary, the page of a submission, the table of a
course.
"""
