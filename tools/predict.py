"""Predict image files; python tools/predict.py -h lists the options."""
import sys

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.predict import main

if __name__ == '__main__':
    sys.exit(run_tool(main))
