"""Show everything at work, without data, GPU or network, in a few minutes.

Usage: python tools/demo.py [--out demo_out]

Trains LDAM-DRW and G-SSL on built-in long-tailed images, prints their
accuracies, gate weights and pretext accuracies, and draws the gate curve, a
labelled grid of pretext transforms and the accuracy of each class. Leaves with
1 unless every pretext task beats chance by 20 points on test images.
"""
import sys
import warnings

# The host's imports mention optional extras that this package does not use.
warnings.filterwarnings('ignore', category=UserWarning)

from gssl_mm.tooling.demo import main  # noqa: E402
from gssl_mm.tooling.errors import run_tool  # noqa: E402

if __name__ == '__main__':
    sys.exit(run_tool(main))
