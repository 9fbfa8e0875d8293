"""Train a model; python tools/train.py -h lists the options."""
import sys

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.train import main

if __name__ == '__main__':
    sys.exit(run_tool(main))
