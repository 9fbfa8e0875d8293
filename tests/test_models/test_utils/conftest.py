import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope='session')
def pillow_run():
    """Run one operation on one image by Pillow."""
    path = Path(__file__).parent / 'pillow_operations.py'
    spec = importlib.util.spec_from_file_location('pillow_operations', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.run


def draw_images(n, height, width, seed=0):
    """Noise, smooth, low-contrast and one-colour images."""
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
    """Integer images of several kinds, uint8 (n, height, width, 3)."""
    return draw_images
