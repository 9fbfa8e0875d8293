"""Two ways to move the values of a quadrant agree, and one compiles."""
import pytest
import torch

from gssl_mm.models.pretext import (
    LocalChannelPermutation,
    LocalFlip,
    LocalRotation,
    PretextTask,
    PretextTransform,
)
from gssl_mm.models.pretext.gather_table import GatherTable, QuadrantTable
from gssl_mm.models.pretext.regions import quadrant_boxes


class SlantedShift(PretextTask):
    """Channel c is shifted by c pixels: channels do not move alike."""

    name = 'slant'
    num_params = num_classes = 2

    def apply(self, patches, param):
        shifted = torch.stack(
            [patches[:, c].roll(c, 2) for c in range(3)], 1)
        return torch.where(param[:, None, None, None] > 0, shifted, patches)

    def index(self, param, h, w):
        plain = torch.arange(3 * h * w)
        moved = self.apply(plain.view(1, 3, h, w), torch.ones(1))
        return torch.stack([plain, moved.reshape(-1)])[param]


class RedOnly(PretextTask):
    """All channels take the first: a move that is no permutation."""

    name = 'red'
    num_params = num_classes = 2

    def apply(self, patches, param):
        red = patches[:, :1].expand_as(patches)
        return torch.where(param[:, None, None, None] > 0, red, patches)

    def index(self, param, h, w):
        plain = torch.arange(3 * h * w)
        return torch.stack([plain, plain[:h * w].repeat(3)])[param]


SETS = dict(
    paper=[LocalFlip(), LocalRotation(), LocalChannelPermutation()],
    one=[LocalRotation()], mixing=[SlantedShift(), LocalRotation()],
    copying=[LocalRotation(), RedOnly()])


def draws(tasks, n):
    combos = 1
    for task in tasks:
        combos *= task.num_params
    return torch.arange(n) % 4, (torch.arange(n) // 4) % combos


@pytest.mark.parametrize('name', SETS)
@pytest.mark.parametrize('size', [2, 12])
def test_both_tables_move_alike(name, size):
    tasks = SETS[name]
    images = torch.rand(192, 3, size, size, requires_grad=True)
    other = images.detach().clone().requires_grad_()
    where = draws(tasks, 192)
    table = QuadrantTable(tasks, size // 2, images.device)
    whole = GatherTable(tasks, quadrant_boxes(size, size), size, size,
                        images.device)
    got, wanted = table(images, *where), whole(other, *where)
    assert torch.equal(got, wanted)
    weight = torch.rand(got.shape)
    (got * weight).sum().backward()
    (wanted * weight).sum().backward()
    torch.testing.assert_close(images.grad, other.grad)


def test_only_alike_channels_share_their_positions():
    device = torch.device('cpu')
    shared = QuadrantTable(SETS['paper'], 4, device)
    assert shared.pixels.shape == (48, 1, 16)
    assert QuadrantTable(SETS['mixing'], 4, device).pixels.shape == (8, 1, 48)


def test_a_task_of_a_user_that_mixes_channels_is_exact():
    transform = PretextTransform(SETS['mixing'])
    images = torch.rand(64, 3, 8, 8)
    draw = transform.sample(64, (8, 8))
    out = transform.apply(images, draw)
    for image, before, q, (slant, turns) in zip(
            out, images, draw.region[:, 0].tolist(), draw.params.tolist(),
            strict=True):
        expected = before.clone()
        rows, cols = (slice(4 * half, 4 * half + 4) for half in divmod(q, 2))
        patch = torch.rot90(before[:, rows, cols], turns, (1, 2))
        if slant:
            patch = torch.stack([patch[c].roll(c, 1) for c in range(3)])
        expected[:, rows, cols] = patch
        assert torch.equal(image, expected)


@pytest.mark.parametrize('layout', ['channels_last', 'strided', 'bfloat16'])
def test_layouts_and_types(layout):
    transform = PretextTransform(SETS['paper'])
    images = torch.rand(48, 3, 8, 8)
    draw = transform.sample(48, (8, 8))
    expected = transform.apply(images, draw)
    if layout == 'channels_last':
        images = images.contiguous(memory_format=torch.channels_last)
    elif layout == 'strided':
        images = torch.stack([images, -images])[0:1].expand(2, -1, -1, -1, -1)
        images = images[1]
    else:
        images, expected = images.bfloat16(), expected.bfloat16()
    assert torch.equal(transform.apply(images, draw), expected)


def test_no_image_is_too_few():
    transform = PretextTransform(SETS['paper'])
    images = torch.rand(0, 3, 8, 8)
    assert transform.apply(
        images, transform.sample(0, (8, 8))).shape == images.shape


def test_one_graph_without_breaks():
    transform = PretextTransform(SETS['paper'])
    images = torch.rand(16, 3, 8, 8)
    draw = transform.sample(16, (8, 8))
    expected = transform.apply(images, draw)  # builds the table
    compiled = torch.compile(transform.apply, backend='eager', fullgraph=True)
    assert torch.equal(compiled(images, draw), expected)
