"""Test a model; python tools/test.py -h lists the options."""
import sys

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.test import main

if __name__ == '__main__':
    sys.exit(run_tool(main))
