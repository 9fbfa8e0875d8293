"""The operations on one image, by Pillow: what the batched ones must equal."""
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

AFFINE = {
    'ShearX': lambda m: (1, m, 0, 0, 1, 0),
    'ShearY': lambda m: (1, 0, 0, m, 1, 0),
    'TranslateX': lambda m: (1, 0, m, 0, 1, 0),
    'TranslateY': lambda m: (1, 0, 0, 0, 1, m),
}
POINTWISE = {
    'Identity': lambda image, m: image,
    'Invert': lambda image, m: ImageOps.invert(image),
    'AutoContrast': lambda image, m: ImageOps.autocontrast(image),
    'Equalize': lambda image, m: ImageOps.equalize(image),
    'Posterize': lambda image, m: ImageOps.posterize(image, int(m)),
    'Solarize': lambda image, m: ImageOps.solarize(image, m),
}


def run(image, name, magnitude, fill=(0, 0, 0)):
    """Run one operation on a uint8 array (H, W, 3)."""
    source = Image.fromarray(image)
    if name in AFFINE:
        out = source.transform(source.size, Image.Transform.AFFINE,
                               AFFINE[name](magnitude), fillcolor=fill)
    elif name == 'Rotate':
        out = source.rotate(magnitude, fillcolor=fill)
    elif name in POINTWISE:
        out = POINTWISE[name](source, magnitude)
    else:
        out = getattr(ImageEnhance, name)(source).enhance(magnitude)
    return np.asarray(out)
