import numpy as np
import pytest
from PIL import Image


def draw_images(n, height, width, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, height, width, 3)).astype(np.uint8)
    for i in range(n):
        if i % 4 == 1:
            small = Image.fromarray(images[i, :5, :5])
            images[i] = np.asarray(small.resize((width, height), 2))
        elif i % 4 == 2:
            low, high = sorted(rng.integers(0, 256, 2))
            images[i] = images[i].astype(int) * (high - low) // 255 + low
        elif i % 16 == 3:
            images[i] = images[i, 0, 0]
    return images


@pytest.fixture(scope='session')
def make_images():
    """Noise, smooth, low-contrast and one-colour images, uint8 (n, h, w, 3)."""
    return draw_images
