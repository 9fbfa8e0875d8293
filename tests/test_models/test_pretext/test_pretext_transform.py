import itertools

import pytest
import torch

from gssl_mm.models.pretext import (
    GlobalRotation,
    LocalChannelPermutation,
    LocalFlip,
    LocalRotation,
    LocalRotationImplicit,
    PretextDraw,
    PretextTask,
    PretextTransform,
)

ORDERS = list(itertools.permutations(range(3)))


def all_tasks(axis='horizontal'):
    return [LocalRotation(), LocalFlip(axis), LocalChannelPermutation()]


def every_draw():
    """All quadrants and parameters: region (192, 1), params (192, 3)."""
    rows = torch.tensor(
        list(itertools.product(range(4), range(4), range(2), range(6))))
    return PretextDraw(rows[:, :1], rows[:, 1:])


def naive(image, quadrant, turns, flipped, order, axis, corner=None):
    """One image at a time, straight from the definition."""
    image = image.clone()
    _, height, width = image.shape
    rh, rw = height // 2, width // 2
    rows = slice(0, rh) if quadrant < 2 else slice(rh, height)
    cols = slice(0, rw) if quadrant % 2 == 0 else slice(rw, width)
    if corner:
        side = min(rows.stop - rows.start, cols.stop - cols.start)
        rows = slice(0, side) if quadrant < 2 else slice(height - side, height)
        cols = (slice(0, side) if quadrant % 2 == 0
                else slice(width - side, width))
    patch = image[:, rows, cols].clone()
    if flipped:
        patch = patch.flip(2 if axis == 'horizontal' else 1)
    patch = torch.rot90(patch, turns, (1, 2))
    patch = torch.stack([patch[c] for c in ORDERS[order]])
    image[:, rows, cols] = patch
    return image


@pytest.mark.parametrize('axis', ['horizontal', 'vertical'])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_equals_the_definition_bit_for_bit(axis, dtype):
    draw = every_draw()
    images = (torch.rand(192, 3, 16, 16) * 255).to(dtype)
    before = images.clone()
    out = PretextTransform(all_tasks(axis)).apply(images, draw)
    expected = torch.stack([
        naive(x, q, k, f, p, axis) for x, q, (k, f, p) in zip(
            images, draw.region[:, 0].tolist(), draw.params.tolist(),
            strict=True)
    ])
    assert out.dtype == dtype
    assert torch.equal(out, expected)
    assert torch.equal(images, before), 'the input was modified'


def test_rotation_is_counter_clockwise():
    image = torch.tensor([[1., 2.], [3., 4.]]).expand(1, 3, 2, 2)
    patches = torch.cat([image, image])
    turned = LocalRotation().apply(patches, torch.tensor([1, 0]))
    assert turned[0, 0].tolist() == [[2, 4], [1, 3]]
    assert torch.equal(turned[1], image[0])


@pytest.mark.parametrize('size', [(15, 15), (12, 16), (9, 14)])
def test_odd_sizes_turn_the_corner_squares(size):
    draw = every_draw()
    images = torch.rand(192, 3, *size)
    transform = PretextTransform(all_tasks(), odd_policy='corner_square')
    expected = torch.stack([
        naive(x, q, k, f, p, 'horizontal', corner=True) for x, q, (
            k, f, p) in zip(images, draw.region[:, 0].tolist(),
                            draw.params.tolist(), strict=True)
    ])
    assert torch.equal(transform.apply(images, draw), expected)
    with pytest.raises(ValueError, match='corner_square'):
        PretextTransform(all_tasks()).apply(images, draw)


def test_gradient_flows_back_to_where_each_value_came_from():
    draw = every_draw()
    images = torch.rand(192, 3, 8, 8, requires_grad=True)
    other = images.detach().clone().requires_grad_()
    weight = torch.rand(192, 3, 8, 8)
    out = PretextTransform(all_tasks()).apply(images, draw)
    (out * weight).sum().backward()
    expected = torch.stack([
        naive(x, q, k, f, p, 'horizontal') for x, q, (k, f, p) in zip(
            other, draw.region[:, 0].tolist(), draw.params.tolist(),
            strict=True)
    ])
    (expected * weight).sum().backward()
    assert torch.equal(images.grad, other.grad)


def test_label_and_transform_are_a_bijection():
    draw = every_draw()
    image = torch.rand(1, 3, 8, 8).expand(192, -1, -1, -1)
    out = PretextTransform(all_tasks()).apply(image, draw)
    labels = PretextTransform(all_tasks()).labels(draw)
    # Without any move the quadrant cannot be seen: the other 188 all differ
    moved = labels.clone()
    untouched = (out == image).flatten(1).all(1)
    assert int(untouched.sum()) == 4
    seen = {}
    for picture, label in zip(out[~untouched], moved[~untouched], strict=True):
        seen.setdefault(picture.numpy().tobytes(), set()).add(
            tuple(label.tolist()))
    assert len(seen) == 188
    assert all(len(labels) == 1 for labels in seen.values())
    assert len({tuple(row) for row in labels.tolist()}) == 192
    assert labels[:, 0].tolist() == (4 * draw.region[:, 0]
                                     + draw.params[:, 0]).tolist()


def test_undoing_restores_the_image():
    draw = every_draw()
    images = torch.rand(192, 3, 8, 8)
    out = PretextTransform(all_tasks()).apply(images, draw)
    turns, flips, orders = draw.params.unbind(1)
    inverse = torch.tensor([ORDERS.index(tuple(
        sorted(range(3), key=order.__getitem__))) for order in ORDERS])
    undo = [(LocalChannelPermutation(), inverse[orders]),
            (LocalRotation(), (4 - turns) % 4), (LocalFlip(), flips)]
    for task, param in undo:
        single = PretextDraw(draw.region, param[:, None])
        out = PretextTransform([task]).apply(out, single)
    assert torch.equal(out, images)


def test_draws_are_uniform_and_independent(generator):
    draw = PretextTransform(all_tasks()).sample(48000, (32, 32), generator)
    joint = torch.cat(draw, 1) @ torch.tensor([48, 12, 6, 1])
    counts = torch.bincount(joint, minlength=192).double()
    # 192 cells of 250 expected: chi-square with 191 degrees of freedom
    chi_square = ((counts - 250)**2 / 250).sum()
    assert 130 < chi_square < 265


def naive_box(image, top, left, side, turns):
    image = image.clone()
    patch = image[:, top:top + side, left:left + side]
    image[:, top:top + side, left:left + side] = torch.rot90(
        patch.clone(), turns, (1, 2))
    return image


@pytest.mark.parametrize('box', ['batch', 'image'])
def test_implicit_rotation_turns_a_box(box, generator):
    transform = PretextTransform(
        [LocalRotationImplicit()], region='box', box=box)
    images = torch.rand(64, 3, 20, 20)
    draw = transform.sample(64, (20, 20), generator)
    expected = torch.stack([
        naive_box(x, *region, turns) for x, region, turns in zip(
            images, draw.region.tolist(), draw.params[:, 0].tolist(),
            strict=True)
    ])
    assert torch.equal(transform.apply(images, draw), expected)
    assert torch.equal(transform.labels(draw), draw.params)
    distinct = len(draw.region.unique(dim=0))
    assert distinct == 1 if box == 'batch' else distinct > 30


def test_implicit_boxes_follow_the_released_ranges(generator):
    transform = PretextTransform(
        [LocalRotationImplicit()], region='box', box='image')
    top, left, side = transform.sample(
        20000, (32, 32), generator).region.unbind(1)
    assert set(side.tolist()) == set(range(2, 17))
    assert int((top + side).max()) == 31 and int((left + side).max()) == 31
    assert int(top.min()) == 0 and int(left.min()) == 0


@pytest.mark.parametrize('n', [1, 2, 6, 16])
def test_rotations_of_whole_images(n, generator):
    task = GlobalRotation()
    draws = torch.stack([task.sample(n, generator) for _ in range(2000)])
    counts = torch.stack([(draws == k).sum(1) for k in range(4)])
    assert int((counts.amax(0) - counts.amin(0)).max()) <= (n % 4 > 0)
    # Every image is turned by every angle equally often: 5 deviations
    shares = torch.stack([(draws == k).float().mean(0) for k in range(4)])
    assert float((shares - .25).abs().max()) < 5 * (.25 * .75 / 2000)**.5


class Boxed(PretextTask):
    """A user's task on boxes that forgot one method."""

    name, num_params, num_classes, region = 'boxed', 2, 2, 'box'

    def apply(self, patches, param):
        return patches


@pytest.mark.parametrize('tasks, kwargs, message', [
    ([Boxed()], dict(region='box'), 'needs a method apply_box'),
    ([LocalFlip(name='items')], {}, "called 'items'"),
    ([LocalFlip(name='student')], {}, "called 'student'"),
    ([LocalRotation(), LocalRotation()], {}, 'must differ'),
    ([LocalFlip(name='cls')], {}, "called 'cls'"),
    ([LocalFlip(name='gate')], {}, "called 'gate'"),
    ([LocalFlip(name='gloss')], {}, "sums all with 'loss'"),
    ([LocalFlip(name='a.b')], {}, 'separates modules'),
    ([], {}, 'at least one'),
    ([LocalRotationImplicit()], {}, 'works on a box'),
    ([LocalRotation()], dict(region='box'), 'works on a quadrant'),
    ([LocalRotation()], dict(region='circle'), 'region must be'),
    ([LocalRotation()], dict(odd_policy='pad'), 'odd_policy must be'),
    ([LocalRotationImplicit()], dict(region='box', box='all'), 'box must be'),
])
def test_wrong_compositions_are_refused(tasks, kwargs, message):
    with pytest.raises(ValueError, match=message):
        PretextTransform(tasks, **kwargs)


def test_unknown_task_is_refused_by_name():
    with pytest.raises(KeyError, match='LocalSpin'):
        PretextTransform(['gssl_mm.LocalSpin'])


def test_small_and_grey_images():
    transform = PretextTransform([LocalRotation(), LocalFlip()])
    out, labels = transform(torch.rand(1, 1, 8, 8))
    assert out.shape == (1, 1, 8, 8) and labels.shape == (1, 2)
    with pytest.raises(ValueError, match='3 channels'):
        PretextTransform(all_tasks())(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match='no quadrants'):
        transform(torch.rand(2, 3, 1, 1))


def test_processes_share_the_draws_of_the_global_batch(monkeypatch):
    transform = PretextTransform(all_tasks())
    images = torch.rand(8, 3, 8, 8)

    def run(rank, world_size):
        monkeypatch.setattr('gssl_mm.models.utils.step_random.get_dist_info',
                            lambda: (rank, world_size))
        part = images[rank::world_size]
        return transform(part, torch.Generator().manual_seed(3))

    whole, labels = run(0, 1)
    for rank in range(2):
        part, part_labels = run(rank, 2)
        assert torch.equal(part, whole[rank::2])
        assert torch.equal(part_labels, labels[rank::2])


class InvertedHalf(PretextTask):
    """A task of a user: half of the quadrants are inverted."""

    name = 'solarize'
    num_params = num_classes = 2

    def apply(self, patches, param):
        return torch.where(param[:, None, None, None] > 0, -patches, patches)


@pytest.mark.parametrize('size', [(8, 8), (7, 10)])
def test_a_task_that_changes_values_composes_with_the_others(size):
    tasks = [InvertedHalf(), *all_tasks()]
    transform = PretextTransform(tasks, odd_policy='corner_square')
    draw = every_draw()
    solar = torch.arange(192) % 2
    draw = PretextDraw(draw.region, torch.cat([solar[:, None], draw.params], 1))
    images = torch.rand(192, 3, *size)
    out = transform.apply(images, draw)
    expected = []
    for x, q, (s, k, f, p) in zip(images, draw.region[:, 0].tolist(),
                                  draw.params.tolist(), strict=True):
        moved = naive(x, q, k, f, p, 'horizontal', corner=True)
        rows, cols = size
        side = [min(h, w) for h in (rows // 2, rows - rows // 2)
                for w in (cols // 2, cols - cols // 2)][q]
        r = slice(0, side) if q < 2 else slice(rows - side, rows)
        c = slice(0, side) if q % 2 == 0 else slice(cols - side, cols)
        if s:
            moved[:, r, c] = -moved[:, r, c]
        expected.append(moved)
    assert torch.equal(out, torch.stack(expected))
