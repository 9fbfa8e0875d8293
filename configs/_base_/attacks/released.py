"""Training attack of the released code: its ball (D10) and its step (D9)."""
released_attack = dict(
    type='gssl_mm.PGD',
    eps=8 / 255,
    step_size=2 / 225,
    num_steps=10,
    # An image may end up 16/255 away from the clean one
    center='noised')
