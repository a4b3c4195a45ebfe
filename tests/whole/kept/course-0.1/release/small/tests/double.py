OK_FORMAT = False

from otter.test_files import test_case

name = "double"
points = None


@test_case(name='numbers', points=1, hidden=False, failure_message='Try 3 and -1.')
def test_numbers(double):
    assert double(3) == 6 and double(-1) == -2
