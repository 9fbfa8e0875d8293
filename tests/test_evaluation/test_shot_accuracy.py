"""ShotAccuracy against a loop over samples, and its table."""
import csv
import math

import pytest
import torch
import torch.distributed as dist
from mmengine.logging import MMLogger

from gssl_mm.evaluation.utils import COUNTS_KEY, WORK_DIR_KEY

COUNTS = [500, 101, 100, 20, 19, 1]
GROUP = ['many', 'many', 'medium', 'medium', 'few', 'few']


def naive(scores, labels, groups):
    """Mean over a group's classes of the share of right answers, in %."""
    right, total = {}, {}
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        guess = max(range(len(score)), key=score.__getitem__)
        right[label] = right.get(label, 0) + (guess == label)
        total[label] = total.get(label, 0) + 1
    result = {}
    for name in ('many', 'medium', 'few'):
        shares = [right[c] / total[c] for c in total if groups[c] == name]
        result[f'shot/{name}'] = 100 * sum(shares) / len(shares)
    return result


def test_equals_a_loop(metric, run_metric, guesses):
    ours = run_metric(metric('ShotAccuracy', class_counts=COUNTS), *guesses)
    theirs = naive(*guesses, GROUP)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert len(set(ours.values())) == 3


def test_class_average_and_sample_average(metric, run_metric):
    """Classes weigh the same; on balanced data samples do too."""
    labels = torch.tensor([0, 0, 0, 1])
    scores = torch.eye(6)[[0, 0, 0, 0]]
    counts = [200, 200, 50, 50, 5, 5]
    result = run_metric(
        metric('ShotAccuracy', class_counts=counts), scores, labels)
    assert result['shot/many'] == 50  # not 75, the share of right samples


def test_thresholds(metric, run_metric, guesses):
    ours = run_metric(
        metric('ShotAccuracy', class_counts=COUNTS, thresholds=(2, 19)),
        *guesses)
    groups = ['many', 'many', 'many', 'many', 'medium', 'few']
    assert ours == pytest.approx(naive(*guesses, groups), abs=1e-9)


def test_predicted_labels_instead_of_scores(metric, guesses, samples):
    scores, labels = guesses
    by_label = metric('ShotAccuracy', class_counts=COUNTS)
    data = samples(scores, labels)
    for sample in data:
        sample['pred_label'] = sample.pop('pred_score').argmax(0, keepdim=True)
    by_label.process(None, data)
    assert by_label.evaluate(len(data)) == pytest.approx(
        naive(scores, labels, GROUP), abs=1e-9)


def test_empty_group_is_nan_and_noted_once(metric, run_metric, guesses,
                                           monkeypatch):
    notes = []
    monkeypatch.setattr(
        MMLogger.get_current_instance(), 'info', notes.append)
    shot = metric('ShotAccuracy', class_counts=[200] * 6)
    for _ in range(2):
        result = run_metric(shot, *guesses)
        assert math.isnan(result['shot/few'])
        assert math.isnan(result['shot/medium'])
        assert result['shot/many'] > 0
    assert len(notes) == 2
    assert 'medium is nan' in notes[0] and 'few is nan' in notes[1]


def test_group_without_test_samples_is_nan(metric, run_metric):
    shot = metric('ShotAccuracy', class_counts=COUNTS)
    result = run_metric(shot, torch.eye(6)[[0, 1]], torch.tensor([0, 1]))
    assert result['shot/many'] == 100 and math.isnan(result['shot/few'])


def read(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_per_class_csv(metric, run_metric, guesses, nothing_published,
                       tmp_path):
    nothing_published.update_info(WORK_DIR_KEY, str(tmp_path), resumed=False)
    scores, labels = guesses
    labels = labels.clamp(max=4)  # nothing to test of class 5
    shot = metric('ShotAccuracy', class_counts=COUNTS, per_class_csv=True)
    shot.dataset_meta = dict(classes=('a', 'b,c', 'd', 'e', 'f', 'g'))
    run_metric(shot, scores, labels)
    rows = read(tmp_path / 'per_class_accuracy.csv')
    assert [r['class'] for r in rows] == list('012345')
    assert [r['name'] for r in rows] == ['a', 'b,c', 'd', 'e', 'f', 'g']
    assert [int(r['train_count']) for r in rows] == COUNTS
    hits = scores.argmax(1) == labels
    for c, row in enumerate(rows[:5]):
        assert int(row['test_count']) == (labels == c).sum()
        assert int(row['correct']) == hits[labels == c].sum()
        assert float(row['accuracy']) == pytest.approx(
            100 * hits[labels == c].float().mean().item(), abs=1e-3)
    assert rows[5]['test_count'] == '0' and rows[5]['accuracy'] == 'nan'

    # The file shows the last evaluation, and nothing else is left behind.
    run_metric(shot, scores, scores.argmax(1))
    assert {r['accuracy']
            for r in read(tmp_path / 'per_class_accuracy.csv')} == {'100.0000'}
    assert [p.name for p in tmp_path.iterdir()] == ['per_class_accuracy.csv']


def test_interrupted_table_leaves_the_old_one(tmp_path):
    from gssl_mm.evaluation.utils import write_csv

    path = tmp_path / 'new' / 'table.csv'
    write_csv(path, ['a'], [[1]])

    def rows():
        yield [2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_csv(path, ['a'], rows())
    assert path.read_text() == 'a\n1\n'
    assert list(path.parent.iterdir()) == [path]


def test_csv_by_path_and_without_names(metric, run_metric, guesses, tmp_path):
    path = tmp_path / 'deep' / 'classes.csv'
    shot = metric(
        'ShotAccuracy', class_counts=COUNTS, per_class_csv=str(path))
    run_metric(shot, *guesses)
    assert [r['name'] for r in read(path)] == [''] * 6


def test_counts_from_the_message_hub(metric, run_metric, guesses,
                                     nothing_published):
    nothing_published.update_info(COUNTS_KEY, COUNTS, resumed=False)
    ours = run_metric(metric('ShotAccuracy'), *guesses)
    assert ours == pytest.approx(naive(*guesses, GROUP), abs=1e-9)


@pytest.mark.parametrize('kwargs, message', [
    (dict(), 'does not know the training counts.*ClassCountsHook'),
    (dict(class_counts=[1, 2]), 'scores 6 classes.*counts are of 2'),
    (dict(class_counts=COUNTS, per_class_csv=True), 'work dir.*not known'),
])
def test_bad_input_is_refused_at_the_first_batch(metric, samples, guesses,
                                                 kwargs, message):
    shot = metric('ShotAccuracy', **kwargs)
    scores, labels = guesses
    with pytest.raises(ValueError, match=message):
        shot.process(None, samples(scores[:2], labels[:2]))


def test_more_bad_input(metric, samples, guesses, run_metric):
    with pytest.raises(ValueError, match=r'ascending order, got \(100, 20\)'):
        metric('ShotAccuracy', thresholds=(100, 20))
    scores, labels = guesses
    with pytest.raises(ValueError, match='label 9.*counts are of 6'):
        run_metric(
            metric('ShotAccuracy', class_counts=COUNTS), scores, labels + 4)
    data = samples(scores[:1], labels[:1])
    data[0]['gt_label'] = torch.tensor([1, 2])
    with pytest.raises(ValueError, match='2 labels of 1 samples'):
        metric('ShotAccuracy', class_counts=COUNTS).process(None, data)


def _two_processes(rank, rendezvous, folder, make, data, queue):
    dist.init_process_group(
        'gloo', init_method=rendezvous, rank=rank, world_size=2)
    metrics, (scores, labels) = make(folder), data
    # Sample i goes to process i % 2; the shorter one repeats a sample.
    mine = list(range(rank, len(scores), 2))
    if len(mine) < (len(scores) + 1) // 2:
        mine.append(0)
    for metric in metrics:
        for i in mine:
            metric.process(
                None, [dict(pred_score=scores[i], gt_label=labels[i:i + 1])])
    results = [metric.evaluate(len(scores)) for metric in metrics]
    queue.put((rank, results))
    dist.destroy_process_group()


def test_uneven_processes_equal_one(metric, run_metric, guesses, tmp_path):
    scores, labels = guesses[0][:41], guesses[1][:41]

    def make(folder):
        table = folder and str(folder / 'table.csv')
        return [
            metric('ShotAccuracy', class_counts=COUNTS, per_class_csv=table),
            metric('CalibrationError')
        ]

    alone = [run_metric(m, scores, labels) for m in make(None)]
    context = torch.multiprocessing.get_context('fork')
    queue = context.Queue()
    workers = [
        context.Process(
            target=_two_processes,
            args=(rank, f'file://{tmp_path}/rendezvous', tmp_path, make,
                  (scores, labels), queue)) for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    both = [queue.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for _, results in both:
        for ours, theirs in zip(results, alone, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-9)
    rows = read(tmp_path / 'table.csv')
    assert sum(int(r['test_count']) for r in rows) == 41
