"""Freed memory that stays with the process."""
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gssl_mm.engine.heap import keep_freed_memory
from gssl_mm.engine.hooks import HeapHook

CHILD = """
import resource, sys, torch
from types import SimpleNamespace
from gssl_mm.engine.hooks import HeapHook

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        block = torch.ones(12 << 20)
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
HeapHook().before_run(SimpleNamespace(model=torch.nn.Linear(1, 1)))
faults()
print(first, faults())
"""


def count_faults(**changes):
    env = {k: v for k, v in os.environ.items() if 'MALLOC' not in k}
    found = subprocess.run(
        [sys.executable, '-c', CHILD], env={**env, **changes}, text=True,
        capture_output=True, check=True, cwd=Path(__file__).parents[2])
    return map(int, found.stdout.splitlines()[-1].split())


@pytest.mark.skipif(sys.platform != 'linux', reason='about glibc')
def test_a_run_on_the_cpu_keeps_its_pages():
    before, after = count_faults()
    # 20 rounds of 48 MiB: 245,760 pages of 4 KiB, if all are new
    assert before > 100_000
    assert after < before / 20


def test_settings_of_the_environment_are_left_alone(monkeypatch):
    monkeypatch.setenv('MALLOC_TRIM_THRESHOLD_', '131072')
    assert keep_freed_memory() is False
    before, after = count_faults(GLIBC_TUNABLES='glibc.malloc.check=0')
    assert after > before / 2


def test_other_systems(monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'darwin')
    assert keep_freed_memory() is False


def test_a_model_on_an_accelerator_is_none_of_its_business(monkeypatch):
    monkeypatch.setattr('gssl_mm.engine.hooks.heap_hook.keep_freed_memory',
                        lambda: pytest.fail('called'))
    HeapHook().before_run(
        SimpleNamespace(model=torch.nn.Linear(1, 1, device='meta')))
