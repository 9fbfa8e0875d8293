"""What the command-line tools share, importable from an installed package.

``python -m gssl_mm.tooling.train CONFIG`` is ``python tools/train.py CONFIG``
for those who installed a wheel.
"""
