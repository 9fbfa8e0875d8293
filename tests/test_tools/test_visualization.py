"""Figures: what is in them, and the tools that write them."""
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from gssl_mm.models.pretext import (
    LocalChannelPermutation,
    LocalFlip,
    LocalRotation,
    PretextTransform,
)
from gssl_mm.visualization import (
    NoGateLoggedError,
    NoStudyError,
    describe_label,
    plot_class_accuracy,
    plot_gate_curves,
    plot_pretext_grid,
    plot_study_curves,
    read_gate_curve,
    read_per_class,
    read_study_curves,
)

CONFIG = '''
tasks = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
default_scope = 'mmpretrain'
model = dict(
    type='ImageClassifier', backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
    data_preprocessor=dict(type='gssl_mm.PretextDataPreprocessor',
                           pretext=dict(tasks=tasks)))
train_dataloader = dict(dataset=dict(
    type='gssl_mm.SyntheticShapes', num_per_class=2,
    pipeline=[dict(type='PackInputs')]))
'''


def log(folder, start, rows):
    path = folder / start / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(json.dumps(r) for r in rows) + '\n{"cut of')
    return path


def gate(step, epoch, lorot):
    return dict(gate_lorot=lorot, gate_flip=1 - lorot, loss=1., step=step,
                iter=step, epoch=epoch)


def text_of(svg):
    """The figure as SVG is readable; texts are drawn as glyph references."""
    return ElementTree.parse(svg).getroot().tag


def test_a_resumed_run_is_one_curve(tmp_path):
    log(tmp_path, '20260101_000000', [
        gate(5, 1, .5), {'accuracy/top1': 3., 'step': 1}, gate(10, 1, .6),
        gate(15, 2, .7), gate(20, 2, .9)])
    log(tmp_path, '20260101_000001', [gate(15, 2, .65), gate(25, 3, .8)])
    curve = read_gate_curve(tmp_path)
    assert curve['lorot'] == ([5, 10, 15, 25], [.5, .6, .65, .8])
    assert curve['flip'][1] == pytest.approx([.5, .4, .35, .2])
    by_epoch = read_gate_curve(tmp_path, 'epoch')['lorot'][0]
    # Ten iterations an epoch
    assert by_epoch == pytest.approx([.5, 1., 1.5, 2.5])


def test_a_log_without_gates_is_refused(tmp_path):
    with pytest.raises(NoGateLoggedError, match='0 scalars'):
        read_gate_curve(tmp_path)
    log(tmp_path, 'a', [dict(loss=1., step=1)])
    with pytest.raises(NoGateLoggedError, match='1 scalars'):
        read_gate_curve(tmp_path)


def test_gate_figure(tmp_path):
    runs = {'a': {'lorot': ([0, 1], [.2, .4]), 'flip': ([0, 1], [.8, .6])},
            'b': {'lorot': ([0, 1], [.3, .3])}}
    png, svg = plot_gate_curves(runs, tmp_path / 'new' / 'gate.png')
    assert png.suffix == '.png' and svg.suffix == '.svg'
    pixels = np.asarray(Image.open(png).convert('RGB')).reshape(-1, 3)
    # The first two colours of the palette are drawn
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
        assert (pixels == colour).all(1).any()
    assert text_of(svg).endswith('svg')


def study(path, **parts):
    empty = dict(first_epoch={}, epochs={})
    rows = [dict(empty, variant='a', epochs=dict(
                gate_lorot=[.2, .4], gate_flip=[.8, .6], acc_lorot=[7., 9.])),
            dict(empty, variant='b', epochs=dict(gate_lorot=[1., None])),
            dict(empty, variant='without a gate')]
    path.write_text(json.dumps(dict(rows=rows, **parts)))
    return path


def test_curves_of_a_study(tmp_path):
    path = study(tmp_path / 'study.json')
    curves = read_study_curves(path)
    assert curves == {'a': dict(lorot=[.2, .4], flip=[.8, .6]),
                      'b': dict(lorot=[1., None])}
    assert read_study_curves(path, 'epoch', 'acc') == {
        'a': dict(lorot=[7., 9.])}
    png, svg = plot_study_curves(curves, tmp_path / 'curves.png')
    pixels = np.asarray(Image.open(png).convert('RGB')).reshape(-1, 3)
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
        assert (pixels == colour).all(1).any()
    assert svg.suffix == '.svg'


@pytest.mark.parametrize('content', [
    '{}', '[]', 'no JSON', '{"rows": [{}]}', '{"rows": null}',
    '{"rows": [{"variant": "a", "epochs": []}]}'])
def test_what_is_no_study_is_refused(tmp_path, content):
    path = tmp_path / 'x.json'
    path.write_text(content)
    with pytest.raises(NoStudyError, match='no study'):
        read_study_curves(path)


def test_a_study_without_curves_is_refused(tmp_path):
    path = study(tmp_path / 'study.json')
    with pytest.raises(NoStudyError, match='no curves agree_'):
        read_study_curves(path, 'epoch', 'agree')
    with pytest.raises(NoStudyError, match='no curves gate_'):
        read_study_curves(path, 'iter')


def test_labels_in_words():
    assert describe_label(LocalRotation(), 4 * 2 + 3) == 'bottom left, 270°'
    assert describe_label(LocalFlip(), 1) == 'horizontal flip'
    assert describe_label(LocalFlip(axis='vertical'), 0) == 'no flip'
    assert describe_label(LocalChannelPermutation(), 3) == 'GBR'

    class Solarise:
        name = 'solarise'

    assert describe_label(Solarise(), 1) == 'solarise 1'


def test_grid_shows_what_the_transform_does(tmp_path, generator):
    images = torch.zeros(3, 3, 8, 8)
    images[:, 0] = 255
    transform = PretextTransform([LocalChannelPermutation()])
    png, _ = plot_pretext_grid(images, transform, tmp_path / 'g.png',
                               generator, ['a', 'b', 'c'], cols=2)
    found = {tuple(p) for p in
             np.asarray(Image.open(png).convert('RGB')).reshape(-1, 3)}
    assert (255, 0, 0) in found  # the originals
    again = torch.Generator().manual_seed(0)
    draw = transform.sample(3, (8, 8), again)
    changed = transform.apply(images, draw)
    for colour in {tuple(int(v) for v in p)
                   for p in changed.permute(0, 2, 3, 1).reshape(-1, 3)}:
        assert colour in found


def test_class_bars_from_the_table_of_a_run(tmp_path):
    table = tmp_path / 'per_class_accuracy.csv'
    table.write_text('class,name,train_count,test_count,correct,accuracy\n'
                     '0,cat,500,10,5,50.0000\n1,,12,10,1,10.0000\n'
                     '2,dog,5,0,0,nan\n')
    names, counts, accuracies = read_per_class(table)
    assert names == ['cat', '1', 'dog'] and counts == [500, 12, 5]
    assert accuracies[:2] == [50., 10.] and np.isnan(accuracies[2])
    files = plot_class_accuracy(names, counts, {'a': accuracies,
                                                'b': [1, 2, 3]},
                                tmp_path / 'bars')
    assert all(file.stat().st_size > 1000 for file in files)
    many = [str(i) for i in range(200)]
    plot_class_accuracy(many, range(1, 201), {'a': range(200)},
                        tmp_path / 'many')


def test_the_tools(tmp_path, run_tool):
    log(tmp_path / 'run', 'a', [gate(5, 1, .5), gate(10, 2, .6)])
    done = run_tool('visualization/plot_gate.py', 'run', '--out', 'g/gate.png')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'g' / 'gate.svg').is_file()
    study(tmp_path / 'study.json')
    done = run_tool('visualization/plot_gate.py', '--study', 'study.json',
                    '--what', 'acc', '--out', 'acc.png')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ['acc.png', 'acc.svg']
    for wrong in ([], ['run', '--study', 'study.json'],
                  ['run', '--what', 'ce'], ['--study', 'missing.json']):
        done = run_tool('visualization/plot_gate.py', *wrong)
        assert done.returncode == 2, wrong
        assert 'Traceback' not in done.stderr
    done = run_tool('visualization/plot_gate.py', 'nowhere')
    assert done.returncode == 2 and 'NoGateLoggedError' in done.stderr
    (tmp_path / 'c.py').write_text(CONFIG)
    done = run_tool('visualization/browse_pretext.py', 'c.py', '--num', '5')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ['pretext.png', 'pretext.svg']
    assert (tmp_path / 'pretext.png').stat().st_size > 10000


def test_a_config_without_pretext_tasks(tmp_path):
    from mmengine.config import Config

    from gssl_mm.tooling.errors import OptionError
    from gssl_mm.tooling.pretext_browser import browse
    cfg = Config(dict(model=dict(type='ImageClassifier')))
    with pytest.raises(OptionError, match='no pretext task'):
        browse(cfg, tmp_path / 'x.png')


def test_the_browser_shows_what_the_network_is_given():
    from gssl_mm.models.pretext import PretextTask
    from gssl_mm.tooling.pretext_browser import NormalisedTransform

    class Invert(PretextTask):
        name = 'invert'
        num_params = num_classes = 1

        def apply(self, patches, param):
            assert patches.is_floating_point()
            return -patches

    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    means = [120., 130., 90.]
    given = dict(mean=means, std=[60.] * 3)
    shown = NormalisedTransform(PretextTransform([Invert()]), given)
    draw = shown.sample(4, (8, 8), torch.Generator().manual_seed(0))
    changed = shown.apply(images, draw)
    for i, quadrant in enumerate(draw.region[:, 0].tolist()):
        top, left = 4 * (quadrant // 2), 4 * (quadrant % 2)
        expected = images[i].clone()
        for channel, mean in enumerate(means):
            spot = (channel, slice(top, top + 4), slice(left, left + 4))
            expected[spot] = (2 * mean - images[i][spot].float()).clamp(0, 255)
        assert torch.equal(changed[i], expected)
    moved = NormalisedTransform(PretextTransform([LocalRotation()]), {})
    assert torch.equal(moved.apply(images, draw),
                       moved.transform.apply(images, draw))
