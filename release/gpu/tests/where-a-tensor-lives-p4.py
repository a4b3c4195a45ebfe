OK_FORMAT = False

from otter.test_files import test_case
import torch

name = "where-a-tensor-lives-p4"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def moved(move_batch, batch, device):
    """What came out, with each tensor as (device, shape, numbers), and the devices of the batch that was passed in, afterwards."""

    def describe(value):
        if isinstance(value, torch.Tensor):
            return ("tensor", str(value.device), list(value.shape), None if value.device.type == "meta" else value.tolist())
        if type(value) is dict:
            return {key: describe(v) for key, v in value.items()}
        return type(value)([describe(v) for v in value]) if type(value) in (list, tuple) else value

    return describe(move_batch(batch, device)), describe(batch)


def described(value, device):
    """What `moved` should say of this batch."""
    if isinstance(value, torch.Tensor):
        return ("tensor", device, list(value.shape), None if device == "meta" else value.tolist())
    if type(value) is dict:
        return {key: described(v, device) for key, v in value.items()}
    return type(value)([described(v, device) for v in value]) if type(value) in (list, tuple) else value


def moves_well(move_batch, batch):
    """Is it moved to meta, left as it was where it is there already, and itself unchanged?"""
    there, afterwards = moved(move_batch, batch, "meta")
    assert there == described(batch, "meta") and afterwards == described(batch, "cpu")
    here, _ = moved(move_batch, batch, "cpu")
    assert here == described(batch, "cpu")


@test_case(name='a dict of tensors', points=1, hidden=False, failure_message='A dict of tensors first; and what is no tensor stays as it is.')
def test_a_dict_of_tensors(move_batch):
    moves_well(move_batch, {"pixels": torch.ones(2, 3), "label": torch.tensor([0, 1]), "name": "cats", "length": 2})
