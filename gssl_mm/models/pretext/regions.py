"""Where on an image a pretext task works."""
import torch
from torch import Tensor

ODD_POLICIES = ('error', 'corner_square')
Box = tuple[int, int, int, int]


def quadrant_boxes(height: int, width: int,
                   odd_policy: str = 'error') -> list[Box]:
    """Return (top, left, height, width) of the four quadrants.

    Quadrants are counted in reading order. Images of even, equal sides have
    four square quadrants. Other sizes depend on the policy.

    Args:
        height (int): Height of the image in pixels.
        width (int): Width of the image in pixels.
        odd_policy (str): ``'error'`` refuses odd or non-square images;
            ``'corner_square'`` takes, of each quadrant, the largest square that
            touches the corner of the image.

    Raises:
        ValueError: If the policy is unknown, the image does not fit it, or a
            side is below two pixels.
    """
    if odd_policy not in ODD_POLICIES:
        raise ValueError(
            f'odd_policy must be one of {ODD_POLICIES}, got {odd_policy!r}')
    if min(height, width) < 2:
        raise ValueError(f'an image of {height}x{width} has no quadrants')
    if odd_policy == 'error' and (height != width or height % 2):
        raise ValueError(
            f'quadrants of a {height}x{width} image are not equal squares and '
            "cannot be turned in place. Set odd_policy='corner_square', or "
            'crop the images to an even, square size')
    rh, rw = height // 2, width // 2
    boxes = []
    for bottom, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        rows = height - rh if bottom else rh
        cols = width - rw if right else rw
        side = min(rows, cols)
        boxes.append((height - side if bottom else 0,
                      width - side if right else 0, side, side))
    return boxes


def sample_boxes(n: int, height: int, width: int, shared: bool,
                 generator: torch.Generator) -> Tensor:
    """Draw square boxes as the LoRot-I code does.

    The side is uniform in [2, S // 2], S the shorter side of the image; the
    first row is uniform in [0, H - side - 1], the first column likewise, so
    that the last row and the last column of an image are never covered.

    Args:
        n (int): Number of images.
        height (int): Height of the images.
        width (int): Width of the images.
        shared (bool): One box for all images, or one for each.
        generator (torch.Generator): Source of the draws, on the CPU.

    Returns:
        Tensor: int64 ``(n, 3)``: top, left, side.

    Raises:
        ValueError: If the image is smaller than 4 pixels on a side.
    """
    largest = min(height, width) // 2
    if largest < 2:
        raise ValueError(
            f'a box needs images of 4 pixels a side, got {height}x{width}')
    draws = 1 if shared else n
    side = torch.randint(2, largest + 1, (draws, ), generator=generator)
    place = torch.rand(2, draws, generator=generator, dtype=torch.float64)
    top = (place[0] * (height - side)).long()
    left = (place[1] * (width - side)).long()
    return torch.stack([top, left, side], 1).expand(n, 3)
