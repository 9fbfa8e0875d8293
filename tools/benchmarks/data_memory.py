"""Measure the memory of the CIFAR data path.

    python tools/benchmarks/data_memory.py [--data-root DIR] [--out FILE]

Without ``--data-root``, archives of CIFAR's true size are written to a
temporary folder (random pixels, 400 MB). Every case runs in a process of its
own: the dataset is loaded, then an epoch is read through two forked workers.

What is counted is the increment over the same process without the images. The
peak while loading is the kernel's (VmHWM). During the epoch it is the sum of
the proportional set sizes of the process and its workers, over that of an epoch
of equal length whose images are one image repeated; the median over the epoch
and its last quarter are compared, since what is in flight between the processes
moves by some MB. Ratios to the arrays kept
and to the largest source file are printed; the exit status is 1 when a limit is
passed:

- after loading, and over an epoch: 1.2 times the arrays kept;
- while loading: 2.2 times the largest source file, or, where all files of
  an archive are kept and the arrays are larger than that, 1.2 times the arrays.
"""
import argparse
import ctypes
import gc
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

CASES = {
    'cifar10': ('CIFAR10', 1.0),
    'cifar10lt-0.01': ('CIFAR10', 0.01),
    'cifar100': ('CIFAR100', 1.0),
    'cifar100lt-0.01': ('CIFAR100', 0.01),
}
KEPT_LIMIT, LOAD_LIMIT = 1.2, 2.2


def write_archives(root: Path, cases: list[str]) -> None:
    """Write the archives of the cases at true size, with random pixels."""
    kinds = {CASES[case][0] for case in cases}
    generator = np.random.default_rng(0)
    batches = [f'data_batch_{i}' for i in range(1, 6)] + ['test_batch']
    layout = []
    if 'CIFAR10' in kinds:
        layout += [('cifar-10-batches-py', name, 10000, 10, 'labels')
                   for name in batches]
    if 'CIFAR100' in kinds:
        layout += [('cifar-100-python', 'train', 50000, 100, 'fine_labels'),
                   ('cifar-100-python', 'test', 10000, 100, 'fine_labels')]
    for folder, name, count, classes, key in layout:
        (root / folder).mkdir(exist_ok=True)
        entry = {
            'data': generator.integers(0, 256, (count, 3072), np.uint8),
            key: generator.permutation(np.arange(count) % classes).tolist(),
            'filenames': [f'some_object_s_{i:06d}.png' for i in range(count)],
        }
        with open(root / folder / name, 'wb') as file:
            pickle.dump(entry, file, protocol=4)


def proportional(pid: int | str) -> int:
    """Proportional set size of a process in bytes, without mapped files.

    The share of a library's pages moves with every other process of the
    machine that maps it.
    """
    path = f'/proc/{pid}/smaps_rollup'
    return field(path, 'Pss_Anon:') + field(path, 'Pss_Shmem:')


def unshared(pid: int | str) -> int:
    """Bytes that only this process has."""
    path = f'/proc/{pid}/smaps_rollup'
    return field(path, 'Private_Clean:') + field(path, 'Private_Dirty:')


def field(path: str, name: str) -> int:
    """Read a field of a /proc file that is given in kB."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(f'{path} has no field {name}')


def run_epoch(dataset) -> dict:
    """Read an epoch as the runner does, watching process and workers."""
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader
    loader = DataLoader(
        dataset, 128, shuffle=True, num_workers=2, collate_fn=pseudo_collate)
    totals, workers = [], []
    # A full garbage collection writes to every object, which copies the
    # interpreter's pages (90 MB) at a moment of its own: not the data's.
    gc.collect()
    gc.freeze()
    batches = iter(loader)
    pids = [worker.pid for worker in batches._workers]
    for step, _ in enumerate(batches):
        # Near the end the workers begin to exit.
        if step % 16 == 0 and step < len(loader) - 8:
            totals.append(sum(map(proportional, ['self', *pids])))
            workers.append(max(map(unshared, pids)))
    gc.unfreeze()
    end = totals[-max(len(totals) // 4, 1):]
    return dict(
        epoch_median=median(totals), epoch_end=median(end),
        worker_unshared=median(workers))


def median(values: list[int]) -> int:
    """Middle of some sizes."""
    return int(np.median(values))


def stand_in(length: int):
    """A dataset of one image repeated without memory."""
    from gssl_mm.datasets import ArrayDataset, ArraySource

    class Repeated(ArrayDataset):

        def load_arrays(self):
            image = np.zeros((1, 32, 32, 3), np.uint8)
            labels = np.broadcast_to(np.int64(0), (length, ))
            return ArraySource(labels, lambda rows: np.broadcast_to(
                image, (len(rows), 32, 32, 3)))

    return Repeated(pipeline=[dict(type='PackInputs')])


def measure(case: str, root: str) -> dict:
    """Load and read one case in this process."""
    from gssl_mm.datasets import LongTailedDataset
    kind, ratio = CASES[case]
    config = dict(
        type=f'gssl_mm.{kind}', data_root=root, verify_md5=False,
        download=False, pipeline=[dict(type='PackInputs')])
    # One use of everything, so that imports and caches are not counted.
    length = len(LongTailedDataset(config, ratio))
    run_epoch(stand_in(10000))
    settle()
    baseline_epoch = run_epoch(stand_in(length))
    settle()
    before = proportional('self')
    resident = field('/proc/self/status', 'VmRSS:')
    Path('/proc/self/clear_refs').write_text('5')
    dataset = LongTailedDataset(config, ratio)
    peak = field('/proc/self/status', 'VmHWM:') - resident
    settle()
    after = proportional('self') - before
    epoch = run_epoch(dataset)
    files = [Path(dataset.dataset.folder) / name
             for name, _ in dataset.dataset.train_list]
    kept = dataset.dataset.images.nbytes + dataset.dataset.labels.nbytes
    return report(
        kept=kept, largest_file=max(file.stat().st_size for file in files),
        loading_peak=peak, after_loading=after,
        **{name: epoch[name] - baseline_epoch[name] for name in epoch})


def settle() -> None:
    """Give memory that is free back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def report(**sizes: int) -> dict:
    """Add the ratios and the verdict to the sizes in bytes."""
    kept, largest = sizes['kept'], sizes['largest_file']
    limit = max(LOAD_LIMIT * largest, KEPT_LIMIT * kept)
    ratios = {
        'loading_peak/largest_file': sizes['loading_peak'] / largest,
        'loading_peak/kept': sizes['loading_peak'] / kept,
        'after_loading/kept': sizes['after_loading'] / kept,
        'epoch_median/kept': sizes['epoch_median'] / kept,
        'epoch_end/kept': sizes['epoch_end'] / kept,
        'worker_unshared/kept': sizes['worker_unshared'] / kept,
    }
    passed = sizes['loading_peak'] <= limit and all(
        ratios[f'{name}/kept'] <= KEPT_LIMIT
        for name in ('after_loading', 'epoch_median', 'epoch_end'))
    ratios = {name: round(value, 3) for name, value in ratios.items()}
    return dict(bytes=sizes, ratios=ratios, passed=passed)


def promises(results: dict) -> list[dict]:
    """The ratios that are promised, as the other benchmarks write them."""
    from bench_common import Promise
    found = []
    for case, result in results.items():
        sizes, ratios = result['bytes'], result['ratios']
        limit = max(LOAD_LIMIT * sizes['largest_file'],
                    KEPT_LIMIT * sizes['kept'])
        found.append(Promise(
            f'{case}: peak while loading over its limit ({LOAD_LIMIT} times the'
            f' largest file, or {KEPT_LIMIT} times the arrays kept)',
            sizes['loading_peak'] / limit, 1))
        found += [Promise(f'{case}: {text} over the arrays kept',
                          ratios[f'{name}/kept'], KEPT_LIMIT)
                  for name, text in (('after_loading', 'after loading'),
                                     ('epoch_median', 'over an epoch'),
                                     ('epoch_end', 'at the end of an epoch'))]
    return [dict(p._asdict(), holds=p.holds) for p in found]


def run_case(case: str, root: str) -> dict:
    """Measure a case in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, '--case', case, '--data-root', root],
        stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--data-root', help='folder of the archives\' own folders')
    parser.add_argument('--out', help='write the numbers to this JSON file')
    parser.add_argument('--cases', nargs='+', default=list(CASES),
                        choices=list(CASES), help='cases to run')
    parser.add_argument('--case', help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run the cases and judge them."""
    args = parse_args()
    if args.case:
        print(json.dumps(measure(args.case, args.data_root)))
        return 0
    # Not above: what is measured must not hold what it does not need
    from bench_common import machine_facts, write_json
    facts = machine_facts('cpu')
    with tempfile.TemporaryDirectory() as folder:
        root = args.data_root or folder
        if args.data_root is None:
            write_archives(Path(folder), args.cases)
        results = {}
        for case in args.cases:
            results[case] = run_case(case, os.path.abspath(root))
            verdict = 'ok' if results[case]['passed'] else 'LIMIT PASSED'
            print(f'{case:16s} {verdict}  kept '
                  f'{results[case]["bytes"]["kept"] / 1e6:.1f} MB  ' +
                  '  '.join(f'{name} {value:.2f}' for name, value in
                            results[case]['ratios'].items()), flush=True)
    if args.out:
        write_json(Path(args.out), dict(
            benchmark='data_memory', **facts, cases=results,
            promises=promises(results)))
    return 0 if all(case['passed'] for case in results.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
