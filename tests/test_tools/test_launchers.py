"""Shell launchers: what they start, with stand-ins for torchrun and srun."""
import os
import re
import stat
import subprocess

import pytest

LAUNCHERS = ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh',
             'slurm_test.sh', 'run_seeds.sh']
NEEDED = {'dist_train.sh': 2, 'dist_test.sh': 3, 'slurm_train.sh': 4,
          'slurm_test.sh': 4, 'run_seeds.sh': 2}
RECORD = '''#!/usr/bin/env bash
printf '%s\\n' "$@" > "$RECORD"
env | grep -E '^(OMP_NUM_THREADS|MASTER_PORT|MASTER_ADDR)=' > "$RECORD.env"
exit ${EXIT:-0}
'''


@pytest.fixture
def recorder(tmp_path):
    """A command that writes down its arguments and environment."""
    path = tmp_path / 'bin' / 'srun'
    path.parent.mkdir()
    path.write_text(RECORD)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def recorded(tmp_path):
    return (tmp_path / 'record').read_text().rstrip('\n').split('\n')


@pytest.mark.parametrize('name', [*LAUNCHERS, 'launch_common.sh'])
def test_syntax(repo, name):
    path = repo / 'tools' / name
    assert subprocess.run(['bash', '-n', path], check=False).returncode == 0
    assert name == 'launch_common.sh' or os.access(path, os.X_OK)


@pytest.mark.parametrize('name', LAUNCHERS)
def test_missing_arguments_print_the_usage(run_tool, name):
    for count in range(NEEDED[name]):
        done = run_tool(name, *['x'] * count)
        assert done.returncode == 2
        assert done.stderr.startswith(f'Usage: tools/{name} ')
        assert 'Environment:' in done.stderr and done.stdout == ''


def test_a_count_that_is_none(run_tool):
    for count in ('0', '-1', 'two', '2x'):
        assert run_tool('dist_train.sh', 'c', count).returncode == 2
        assert run_tool('dist_test.sh', 'c', 'k', count).returncode == 2


def test_dist_train(run_tool, recorder, tmp_path):
    env = dict(PYTHON=str(recorder), RECORD=str(tmp_path / 'record'),
               NNODES='3', NODE_RANK='1', MASTER_ADDR='host', PORT='123')
    done = run_tool('dist_train.sh', 'a config.py', '4', '--work-dir', 'a b',
                    '--cfg-options', 'x="[1,2]"', EXIT='7', **env)
    assert done.returncode == 7
    args = recorded(tmp_path)
    assert args[:7] == [
        '-m', 'torch.distributed.run', '--nnodes=3', '--node_rank=1',
        '--master_addr=host', '--nproc_per_node=4', '--master_port=123']
    assert args[7].endswith('/tools/train.py')
    assert args[8:] == ['a config.py', '--work-dir', 'a b', '--cfg-options',
                        'x="[1,2]"', '--launcher', 'pytorch']


def test_threads_share_the_cores(run_tool, recorder, tmp_path, monkeypatch,
                                 clean_env):
    clean_env.pop('OMP_NUM_THREADS')
    env = dict(PYTHON=str(recorder), RECORD=str(tmp_path / 'record'))
    cores = len(os.sched_getaffinity(0))
    for processes in (1, 10 * cores):
        run_tool('dist_train.sh', 'c', str(processes), **env)
        threads = re.search(r'OMP_NUM_THREADS=(\d+)',
                            (tmp_path / 'record.env').read_text())
        assert int(threads[1]) == max(1, cores // processes)
    run_tool('dist_train.sh', 'c', '2', OMP_NUM_THREADS='5', **env)
    assert 'OMP_NUM_THREADS=5' in (tmp_path / 'record.env').read_text()


def test_dist_test(run_tool, recorder, tmp_path):
    run_tool('dist_test.sh', 'c.py', 'k.pth', '2', '--tta',
             PYTHON=str(recorder), RECORD=str(tmp_path / 'record'))
    args = recorded(tmp_path)
    assert args[2:7] == ['--nnodes=1', '--node_rank=0',
                         '--master_addr=127.0.0.1', '--nproc_per_node=2',
                         '--master_port=29500']
    assert args[7].endswith('/tools/test.py')
    assert args[8:] == ['c.py', 'k.pth', '--tta', '--launcher', 'pytorch']


@pytest.mark.parametrize('name, option', [
    ('slurm_train.sh', ['--work-dir', 'w d']), ('slurm_test.sh', ['w d'])])
def test_slurm(run_tool, recorder, tmp_path, clean_env, name, option):
    env = dict(PATH=f'{recorder.parent}:{clean_env["PATH"]}', PYTHON='py',
               RECORD=str(tmp_path / 'record'), GPUS='16', PORT='99',
               SRUN_ARGS='--quotatype=spot --comment x', NNODES='2',
               MASTER_ADDR='host')
    done = run_tool(name, 'part', 'job', 'c.py', 'w d', '--amp', **env)
    assert done.returncode == 0
    args = recorded(tmp_path)
    at = args.index('py')
    assert args[:at] == [
        '-p', 'part', '--job-name=job', '--gres=gpu:8', '--ntasks=16',
        '--ntasks-per-node=8', '--nodes=2', '--cpus-per-task=5',
        '--kill-on-bad-exit=1', '--quotatype=spot', '--comment', 'x']
    assert args[at + 1] == '-u' and args[at + 2].endswith(f'/{name[6:-3]}.py')
    assert args[at + 3:] == ['c.py', *option, '--amp', '--launcher', 'slurm']
    environment = (tmp_path / 'record.env').read_text()
    assert 'MASTER_PORT=99' in environment and 'MASTER_ADDR=host' in environment


def test_slurm_without_gpus(run_tool, recorder, tmp_path, clean_env):
    env = dict(PATH=f'{recorder.parent}:{clean_env["PATH"]}', CPU_ONLY='1',
               RECORD=str(tmp_path / 'record'), GPUS='2')
    assert run_tool('slurm_train.sh', 'p', 'j', 'c', 'w', **env) \
        .returncode == 0
    args = recorded(tmp_path)
    assert not [a for a in args if a.startswith('--gres')]
    assert '--ntasks-per-node=2' in args
    env['GPUS'] = 'many'
    assert run_tool('slurm_train.sh', 'p', 'j', 'c', 'w', **env) \
        .returncode == 2


@pytest.mark.slow
def test_two_processes_on_the_cpu(run_tool, toy, tmp_path):
    done = run_tool('dist_train.sh', toy, '2', '--work-dir', tmp_path / 'w',
                    PORT='29517')
    assert done.returncode == 0, done.stderr
    assert 'total batch 8 = 4 a process x 2' in done.stdout
    done = run_tool('dist_train.sh', toy, '2', '--work-dir', tmp_path / 'w',
                    '--resume', '--cfg-options', 'train_cfg.max_epochs=2',
                    PORT='29517')
    assert done.returncode == 0 and 'epoch_1.pth' in done.stdout, done.stderr
    done = run_tool('dist_test.sh', toy, tmp_path / 'w' / 'epoch_2.pth', '2',
                    '--work-dir', tmp_path / 't', PORT='29517')
    assert done.returncode == 0 and 'accuracy/top1' in done.stdout
    odd = run_tool('dist_train.sh', toy, '3', '--work-dir', tmp_path / 'x',
                   PORT='29517')
    assert odd.returncode != 0 and 'BatchSizeError' in odd.stderr
