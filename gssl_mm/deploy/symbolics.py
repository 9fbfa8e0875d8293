"""Operators that the exporter by tracing does not know."""
import torch
from torch.onnx import register_custom_op_symbolic, symbolic_helper

# Slicing with negative steps came with operator set 10
FIRST_OPSET = 10


def _constant(g, values: list[int]):
    return g.op('Constant', value_t=torch.tensor(values))


def _flip(g, images, dims: list[int]):
    """Reverse dimensions."""
    last = [-torch.iinfo(torch.int64).max] * len(dims)
    return g.op('Slice', images, _constant(g, [-1] * len(dims)),
                _constant(g, last), _constant(g, dims),
                _constant(g, [-1] * len(dims)))


@symbolic_helper.parse_args('v', 'i', 'is')
def rot90(g, images, k: int, dims: list[int]):
    """Write quarter turns as flips and a transposition."""
    k %= 4
    if k == 0:
        return g.op('Identity', images)
    if k == 2:
        return _flip(g, images, dims)
    flipped = _flip(g, images, [dims[1] if k == 1 else dims[0]])
    order = list(range(symbolic_helper._get_tensor_rank(images)))
    order[dims[0]], order[dims[1]] = dims[1], dims[0]
    return g.op('Transpose', flipped, perm_i=order)


def register_symbolics() -> None:
    """Make them known; quarter turns are those of ``RotatedBackbone``."""
    register_custom_op_symbolic('aten::rot90', rot90, FIRST_OPSET)


__all__ = ['register_symbolics', 'rot90']
