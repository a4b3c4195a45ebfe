OK_FORMAT = False

from otter.test_files import test_case
from torch import nn

name = "tanh-sequential-anatomy-p4"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def anatomy_of(hidden_and_parameters, widths, bias, nested, frozen):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.Tanh()]
    layers[-1] = nn.LogSoftmax(dim=1)
    for parameter in layers[0].parameters():
        parameter.requires_grad = not frozen
    seq = nn.Sequential(nn.Sequential(nn.Sequential(*layers[:2]), *layers[2:-2]), *layers[-2:]) if nested else nn.Sequential(*layers)
    return [int(number) for number in hidden_and_parameters(seq)]


@test_case(name='the model above', points=0.5, hidden=False, failure_message='Begin with the model in the question: its two numbers are known.')
def test_the_model_above(hidden_and_parameters):
    assert anatomy_of(hidden_and_parameters, [200, 512, 512, 10], True, False, False) == [2, 370698]
    assert anatomy_of(hidden_and_parameters, [3, 4], True, False, False) == [0, 16]
