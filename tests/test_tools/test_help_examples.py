"""The example that each tool's ``--help`` shows, run as it stands."""
import re
import shlex
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TOOLS = sorted(path.relative_to(REPO).as_posix() for path in (
    *(REPO / 'tools').glob('*.py'), *(REPO / 'tools').glob('*.sh'),
    *(REPO / 'tools').glob('analysis/*.py'),
    *(REPO / 'tools').glob('deploy/*.py'),
    *(REPO / 'tools').glob('model_converters/*.py'))
    if path.name != 'launch_common.sh')
# What needs no run of a model before it; slurm is not here
RUN = ('tools/train.py', 'tools/test.py', 'tools/dist_train.sh',
       'tools/dist_test.sh', 'tools/analysis/claims.py',
       'tools/analysis/collect_results.py',
       'tools/analysis/write_metafiles.py')


def example(tool):
    """Words behind the tool in the first example of its help."""
    path = REPO / tool
    inside = re.search(r'gssl_mm\.tooling\.(\w+) import main',
                       path.read_text())
    if inside:
        path = REPO / 'gssl_mm' / 'tooling' / f'{inside[1]}.py'
    text = re.sub(r'\\+\n[# ]*', '', path.read_text())
    found = re.search(rf'[Ee]xample[^/]*?\b{re.escape(tool)} ?([^\n\'"]*)',
                      text)
    assert found, f'{path} has no example of {tool}'
    return shlex.split(found[1])


@pytest.mark.parametrize('tool', TOOLS)
def test_help_has_an_example(tool):
    example(tool)


@pytest.mark.slow
@pytest.mark.parametrize('tool', RUN)
def test_example_runs(tool, run_tool, tmp_path):
    for name in ('configs', 'weights', 'results', 'tools', 'README.md',
                 'docs', 'model-index.yml'):
        (tmp_path / name).symlink_to(REPO / name)
    done = run_tool(tool.removeprefix('tools/'), *example(tool))
    assert done.returncode == 0, done.stderr[-2000:]
