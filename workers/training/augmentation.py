"""Training examples changed at random: a whole batch at once, on its device. Nothing else ever sees them changed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

# N examples, D features, C channels, Y height, X width, K knots along a side.

_IMAGES = 4  # dimensions of a batch of them

_KNOTS = 4
"""Along each side of the grid of displacements that an elastic distortion draws; between them it is smooth."""

_DISPLACEMENT = 0.1
"""Standard deviation of a displacement of strength 1, as a share of the sides, wherever in the image."""


@dataclass(frozen=True)
class Augmentation:
    """How training examples are changed. What has strength 0 is not done, and draws nothing.

    Images are mirrored, distorted, rotated, zoomed and shifted by one bilinear resampling; what comes from outside is
    zero, which is the mean where features are normalised.

    Args:
        flip: Probability that an image is mirrored left to right.
        crop: Greatest shift, by whole pixels, as a share of the sides.
        rotation: Greatest angle, in degrees.
        zoom: Greatest change of the scale: it is drawn from 1 - zoom to 1 + zoom.
        distortion: Strength of an elastic distortion: displacements have a standard deviation of a tenth of it, as a
            share of the sides, wherever in the image.
        feature_noise: Standard deviation of what is added to each feature.

    Source: elastic distortions: Simard et al., "Best Practices for Convolutional Neural Networks" (2003), section 2;
        by a coarse grid: Ronneberger et al., "U-Net" (2015), section 3.1.
    """

    flip: float
    crop: float
    rotation: float
    zoom: float
    distortion: float
    feature_noise: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """Return what hyperparameters, all of them, describe."""
        return cls(**{field.name: params[field.name] for field in fields(cls)})

    def changed(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return a batch, changed; the very same where nothing is to be done.

        Args:
            x: Features (N, D) or images (N, C, Y, X).
            generator: On their device.
        """
        if x.ndim == _IMAGES and (self.flip or self.crop or self.rotation or self.zoom or self.distortion):
            x = grid_sample(x, self._places(x, generator), padding_mode="zeros", align_corners=False)
        if self.feature_noise > 0:
            x = x + self.feature_noise * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return x

    def _places(self, x_NCYX: Tensor, generator: torch.Generator) -> Tensor:
        """Return for each pixel where it comes from, (N, Y, X, 2): x and y, from -1 to 1 between the outer edges."""
        places = affine_grid(self._transforms(x_NCYX, generator), list(x_NCYX.shape), align_corners=False)
        if self.distortion > 0:
            places = places + self._displacements(x_NCYX, generator)
        return places

    def _transforms(self, x_NCYX: Tensor, generator: torch.Generator) -> Tensor:
        """Return the affine transforms, (N, 2, 3), from where a pixel is to where it comes from."""
        count, height, width = len(x_NCYX), x_NCYX.shape[2], x_NCYX.shape[3]

        def drawn(greatest: float) -> Tensor:
            one_N = torch.zeros(count, device=x_NCYX.device)
            return one_N.uniform_(-greatest, greatest, generator=generator) if greatest > 0 else one_N

        def shifts(side: int) -> Tensor:
            # From edge to edge it is 2.
            return (drawn(self.crop) * side).round() * 2 / side

        sign_N = 1 - 2 * self._is_flipped(x_NCYX, generator)
        angle_N, scale_N = drawn(math.radians(self.rotation)), 1 + drawn(self.zoom)
        cos_N, sin_N = angle_N.cos() / scale_N, angle_N.sin() / scale_N
        # A pixel is as wide as high, whatever the shape of the image.
        rows = [
            torch.stack([sign_N * cos_N, -sign_N * sin_N * height / width, shifts(width)], dim=1),
            torch.stack([sin_N * width / height, cos_N, shifts(height)], dim=1),
        ]
        return torch.stack(rows, dim=1)

    def _is_flipped(self, x_NCYX: Tensor, generator: torch.Generator) -> Tensor:
        zero_N = torch.zeros(len(x_NCYX), device=x_NCYX.device)
        return zero_N.bernoulli_(self.flip, generator=generator) if self.flip > 0 else zero_N

    def _displacements(self, x_NCYX: Tensor, generator: torch.Generator) -> Tensor:
        knots = torch.randn((len(x_NCYX), 2, _KNOTS, _KNOTS), generator=generator, device=x_NCYX.device)
        smooth = interpolate(knots, size=x_NCYX.shape[2:], mode="bicubic", align_corners=True)
        height, width = x_NCYX.shape[2:]
        deviation_YX = torch.outer(_deviation(height, x_NCYX.device), _deviation(width, x_NCYX.device))
        # From edge to edge it is 2.
        return smooth.permute(0, 2, 3, 1) * (2 * _DISPLACEMENT * self.distortion / deviation_YX)[:, :, None]


def _deviation(side: int, device: torch.device) -> Tensor:
    """Return the standard deviation, (Y,), of what is interpolated along a side between knots whose own is 1.

    Each place has a sum of knots, whose weights are what the interpolation makes there of each knot alone.
    """
    knots_KK = torch.eye(_KNOTS, device=device)
    weights_KY = interpolate(knots_KK[None, :, :, None], size=(side, 1), mode="bicubic", align_corners=True)[0, :, :, 0]
    return weights_KY.square().sum(dim=0).sqrt()
