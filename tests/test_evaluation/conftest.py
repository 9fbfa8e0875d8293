import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.structures import DataSample

import gssl_mm.evaluation  # noqa: F401
from gssl_mm.evaluation.utils import COUNTS_KEY, WORK_DIR_KEY
from gssl_mm.registry import METRICS


@pytest.fixture(autouse=True)
def nothing_published():
    """Forget what an earlier test told the metrics."""
    hub = MessageHub.get_current_instance()
    for key in (COUNTS_KEY, WORK_DIR_KEY):
        hub.pop_info(key, None)
    yield hub


@pytest.fixture
def metric():
    """Build a metric by its registered name; every test builds this way."""
    return lambda name, **kw: METRICS.build(dict(type=f'gssl_mm.{name}', **kw))


@pytest.fixture
def samples():
    """Turn scores and labels into what an evaluator hands to a metric."""

    def _samples(scores, labels):
        return [
            DataSample().set_gt_label(label).set_pred_score(score).to_dict()
            for score, label in zip(scores, labels.tolist(), strict=True)
        ]

    return _samples


@pytest.fixture
def run_metric(samples):
    """Feed a metric in batches and evaluate."""

    def _run(metric, scores, labels, batch=7):
        for i in range(0, len(scores), batch):
            metric.process(
                None, samples(scores[i:i + batch], labels[i:i + batch]))
        return metric.evaluate(len(scores))

    return _run


@pytest.fixture
def guesses():
    """Return random probabilities of 6 classes and labels; some are right."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 6, (200, ), generator=generator)
    logits = 2 * torch.randn(200, 6, generator=generator)
    logits[torch.arange(200), labels] += 1.5
    return logits.softmax(1), labels
