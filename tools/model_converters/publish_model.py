"""Publish a model; python tools/model_converters/publish_model.py -h helps."""
import sys

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.publish import main

if __name__ == '__main__':
    sys.exit(run_tool(main))
