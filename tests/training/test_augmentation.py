"""Augmentation: each transform alone against a direct computation, and what it draws."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from workers.training.augmentation import Augmentation

COUNT = 400


def by(**strengths: float) -> Augmentation:
    none = dict.fromkeys(("flip", "crop", "rotation", "zoom", "distortion", "feature_noise"), 0.0)
    return Augmentation(**{**none, **strengths})


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = COUNT, *, height: int = 8, width: int = 8) -> Tensor:
    """The same image each time, of two channels."""
    return torch.randn(1, 2, height, width, generator=generator(1)).repeat(count, 1, 1, 1)


def drawing(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Let whatever is drawn between bounds be such a share of the upper one."""

    def drawn(tensor: Tensor, _low: float, high: float, **_: object) -> Tensor:
        return tensor.fill_(high * share)

    monkeypatch.setattr(Tensor, "uniform_", drawn)


def moved(x_CYX: Tensor, down: int, right: int) -> Tensor:
    """Shift an image by whole pixels; zeros come in."""
    whole = torch.zeros_like(x_CYX)
    height, width = x_CYX.shape[1:]
    rows, columns = range(max(0, down), min(height, height + down)), range(max(0, right), min(width, width + right))
    for row in rows:
        for column in columns:
            whole[:, row, column] = x_CYX[:, row - down, column - right]
    return whole


def test_nothing_is_done_and_nothing_drawn_at_strength_zero() -> None:
    source = generator()
    before = source.get_state()
    x = images()

    assert by().changed(x, source) is x
    assert torch.equal(source.get_state(), before)


def test_a_flip_is_torchs_in_the_share_of_images_that_is_asked_for() -> None:
    x = images()

    changed = by(flip=0.3).changed(x, generator())

    flipped = [torch.allclose(image, torch.flip(x[0], dims=[2]), atol=1e-5) for image in changed]
    same = [torch.allclose(image, x[0], atol=1e-5) for image in changed]
    assert [one != other for one, other in zip(flipped, same, strict=True)] == [True] * COUNT
    assert sum(flipped) / COUNT == pytest.approx(0.3, abs=0.07)  # three standard errors


def test_a_crop_shifts_by_whole_pixels_up_to_its_share_of_each_side_and_zeros_come_in() -> None:
    x = images(height=8, width=12)

    changed = by(crop=0.25).changed(x, generator())

    shifts = {(down, right): moved(x[0], down, right) for down in range(-2, 3) for right in range(-3, 4)}
    found = [
        [shift for shift, expected in shifts.items() if torch.allclose(image, expected, atol=1e-4)] for image in changed
    ]
    assert {len(each) for each in found} == {1}
    assert {each[0][0] for each in found} == {-2, -1, 0, 1, 2}
    assert {each[0][1] for each in found} == {-3, -2, -1, 0, 1, 2, 3}


@pytest.mark.parametrize("turns", [-1, 1, 2])
def test_a_rotation_by_right_angles_is_torchs(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(monkeypatch, turns)
    x = images(2)

    changed = by(rotation=90).changed(x, generator())

    torch.testing.assert_close(changed, torch.rot90(x, turns, dims=(2, 3)), atol=1e-5, rtol=0)


def test_a_rotation_keeps_lengths_in_images_that_are_not_square(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(monkeypatch, 1.0)
    x = images(1, height=4, width=10)

    changed = by(rotation=90).changed(x, generator())

    middle = torch.rot90(x, 1, dims=(2, 3))[:, :, 3:7, :]  # The sides that stick out are cut off.
    torch.testing.assert_close(changed[:, :, :, 3:7], middle, atol=1e-5, rtol=0)
    assert changed[:, :, :, :3].abs().max() < 1e-5


def test_a_zoom_in_is_the_middle_of_torchs_interpolation(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(monkeypatch, 1.0)
    x = images(2)

    changed = by(zoom=1.0).changed(x, generator())

    bigger = interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(changed, bigger[:, :, 4:12, 4:12], atol=1e-5, rtol=0)


def test_a_zoom_out_is_torchs_interpolation_with_zeros_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(monkeypatch, -1.0)
    x = images(2)

    changed = by(zoom=0.5).changed(x, generator())

    smaller = interpolate(x, scale_factor=0.5, mode="bilinear")
    torch.testing.assert_close(changed, pad(smaller, (2, 2, 2, 2)), atol=1e-5, rtol=0)


def test_scales_are_drawn_evenly_on_both_sides_of_one() -> None:
    # A ramp through the middle: its slope is divided by the scale.
    ramp = torch.arange(-7.5, 8.5).expand(16, 16)

    changed = by(zoom=0.2).changed(ramp.repeat(2000, 1, 1, 1), generator())

    scales = 1 / (changed[:, 0, 8, 9] - changed[:, 0, 8, 8])
    assert 0.8 <= scales.min().item() < 0.81
    assert 1.19 < scales.max().item() <= 1.2001
    assert scales.mean().item() == pytest.approx(1.0, abs=0.01)


def test_an_elastic_distortion_moves_every_place_by_a_tenth_of_its_strength() -> None:
    side, edge = 17, 2
    # On a ramp the change of a pixel is how far it has moved, where nothing comes from outside: six deviations within.
    ramp = torch.arange(side, dtype=torch.float32).expand(side, side)
    x = torch.stack([ramp, ramp.mT]).repeat(5000, 1, 1, 1)

    changed = by(distortion=0.2).changed(x, generator())

    moved_by = (changed - x)[:, :, edge:-edge, edge:-edge] / side
    expected = torch.full(moved_by.shape[1:], 0.02)
    torch.testing.assert_close(moved_by.mean(dim=0), torch.zeros_like(expected), atol=0.0015, rtol=0)
    # Of so many draws a standard deviation has a standard error of a hundredth of it.
    torch.testing.assert_close(moved_by.std(dim=0), expected, atol=0, rtol=0.05)


def test_neighbours_move_together_in_an_elastic_distortion() -> None:
    ramp = torch.arange(16, dtype=torch.float32).expand(16, 16)

    changed = by(distortion=0.3).changed(ramp.repeat(500, 1, 1, 1), generator())

    moved_by = (changed - ramp)[:, 0]
    together = torch.corrcoef(torch.stack([moved_by[:, 5, 5], moved_by[:, 6, 5], moved_by[:, 5, 11]]))
    assert together[0, 1] > 0.9
    assert together[0, 2].abs() < 0.5


@pytest.mark.parametrize("x", [torch.ones(2000, 5), torch.ones(100, 1, 10, 10)])
def test_noise_has_its_standard_deviation(x: Tensor) -> None:
    changed = by(feature_noise=0.5).changed(x, generator())

    assert (changed - x).mean().item() == pytest.approx(0.0, abs=0.02)
    assert (changed - x).std().item() == pytest.approx(0.5, abs=0.02)


def test_what_is_for_images_leaves_rows_alone() -> None:
    x = torch.ones(3, 5)

    assert by(flip=1.0, crop=0.5, rotation=90, zoom=0.5, distortion=1.0).changed(x, generator()) is x


def test_the_same_generator_gives_the_same_batch_and_another_one_another() -> None:
    all_of_it = by(flip=0.5, crop=0.2, rotation=20, zoom=0.2, distortion=0.3, feature_noise=0.1)

    first, again, other = (all_of_it.changed(images(), generator(seed)) for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
