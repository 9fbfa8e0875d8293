"""Export a model to ONNX; python tools/deploy/export.py -h helps."""
import sys

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.export import main

if __name__ == '__main__':
    sys.exit(run_tool(main))
