"""Training attack as the paper states it: the ball around the clean image."""
correct_attack = dict(
    type='gssl_mm.PGD',
    eps=8 / 255,
    step_size=2 / 255,
    num_steps=10,
    center='clean')
