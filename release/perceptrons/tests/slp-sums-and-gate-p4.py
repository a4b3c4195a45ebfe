OK_FORMAT = False

from otter.test_files import test_case

name = "slp-sums-and-gate-p4"
points = None


def name_of(got):
    assert isinstance(got, str)
    return got.strip().upper()


@test_case(name='middle of each range', points=1, hidden=False, failure_message='Write down the four sums at this bias and count how many are above zero.')
def test_middle_of_each_range(gate_of):
    assert [name_of(gate_of(b)) for b in (-2.5, -1.5, -0.5, 0.5)] == ["OFF", "AND", "OR", "ON"]
