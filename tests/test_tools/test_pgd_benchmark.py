"""The benchmark of attacks at a tiny size: that it runs and compares."""
import importlib
import json

import pytest
import torch


def test_it_runs_and_reports(load, tmp_path):
    threads = torch.get_num_threads()
    parts = ['train']
    if importlib.util.find_spec('torchattacks'):
        parts += ['equal', 'speed']
    out = tmp_path / 'pgd.json'
    assert load('pgd').main(
        ['--quick', '--out', str(out), '--parts', *parts]) == 0
    found = json.loads(out.read_text())
    variants = {row['variant'] for row in found['rows']}
    assert {'plain, float32', 'PGD-10, bfloat16'} <= variants
    promises = {p['name']: p for p in found['promises']}
    assert len(promises) == (8 if len(parts) == 3 else 3)
    if len(parts) == 3:
        assert {'torchattacks', 'like for like', 'channels_last', 'bf16',
                'skipping', 'as shipped'} <= variants
        rows = {row['variant']: row for row in found['rows']}
        assert rows['bf16']['gains'] == ['bf16']
        assert set(rows['as shipped']['gains']) <= {
            'channels_last', 'bf16', 'skipping'}
        assert rows['skipping']['accuracy'] == rows['like for like'][
            'accuracy']
        assert promises['equal: largest difference of a pixel, float64'][
            'holds']
    assert torch.get_num_threads() == threads


def test_an_explicit_start_is_the_one_torchattacks_draws(load):
    pytest.importorskip('torchattacks')
    attacks = load('bench_attacks')
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 5))
    images, labels = torch.rand(3, 3, 4, 4), torch.tensor([0, 1, 2])
    start = attacks.their_start(images, 3)
    torch.manual_seed(3)
    found = attacks.theirs(net, 0)(images, labels)
    assert torch.allclose(found, images + start, atol=1e-7)
    assert start.abs().max() > 0.9 * attacks.EPS


def test_skipping_counts_what_not_skipping_counts(load):
    attacks = load('bench_attacks')
    from gssl_mm.models.attacks import PixelModel

    class Toy(torch.nn.Sequential):
        data_preprocessor = torch.nn.Module()
        data_preprocessor.mean = torch.zeros(3, 1, 1)
        data_preprocessor.std = torch.full((3, 1, 1), 255.)

    model = PixelModel(Toy(torch.nn.Flatten(), torch.nn.Linear(48, 3)))
    batches = [torch.rand(6, 3, 4, 4), torch.rand(2, 3, 4, 4)]
    labels = [torch.randint(3, (len(x), )) for x in batches]
    found = []
    for skips in (False, True):
        run = attacks.Evaluation((model, batches, labels), skips=skips)
        run.run()
        found.append(run.right)
    assert found[0] == found[1]


def test_a_checkpoint_of_another_config_is_refused(load, tmp_path):
    attacks = load('bench_attacks')
    from argparse import Namespace

    from gssl_mm.tooling.errors import OptionError
    net, path = torch.nn.Linear(2, 3), tmp_path / 'net.pth'
    args = Namespace(checkpoint=path, config='some_config')
    torch.save(dict(state_dict=torch.nn.Linear(2, 3).state_dict()), path)
    attacks.load_weights(net, args)
    torch.save(dict(state_dict=dict(weight=net.weight)), path)
    with pytest.raises(OptionError, match='some_config'):
        attacks.load_weights(net, args)
