"""The paper and the brushes that the demo's pictures are drawn with.

A canvas is 1600 × 900 units. It is drawn on at twice that size and scaled down at the
end, which is what makes its edges smooth.
"""

import math
from collections.abc import Iterable
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1600, 900
SCALE = 2

Colour = str | tuple[int, int, int] | tuple[int, int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Canvas:
    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def shade(self, *colours: str, top: float = 0, bottom: float = HEIGHT) -> None:
        """Fill the picture between two heights with a gradient, from top to bottom."""
        size = (WIDTH * SCALE, round((bottom - top) * SCALE))
        self.image.paste(gradient(colours).resize(size, Image.Resampling.BICUBIC), (0, round(top * SCALE)))

    def area(self, outline: Iterable[Point], *colours: str, bottom: float = HEIGHT) -> None:
        """Fill an outline with a gradient that reaches from its highest point to `bottom`."""
        points = scaled(outline)
        left, top = (math.floor(max(0, min(edge))) for edge in zip(*points, strict=True))
        right = math.ceil(min(WIDTH * SCALE, max(x for x, _ in points)))
        size = (max(1, right - left), max(1, round(bottom * SCALE) - top))
        mask = Image.new("1", size)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points], fill=1)
        self.image.paste(gradient(colours).resize(size), (left, top), mask)

    def polygon(self, outline: Iterable[Point], colour: Colour) -> None:
        self.pen.polygon(scaled(outline), fill=colour)

    def line(self, points: Iterable[Point], colour: Colour, width: float = 2) -> None:
        self.pen.line(scaled(points), fill=colour, width=max(1, round(width * SCALE)), joint="curve")

    def box(self, box: Box, colour: Colour, radius: float = 0) -> None:
        self.pen.rounded_rectangle([edge * SCALE for edge in box], radius * SCALE, fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def ellipse(self, box: Box, colour: Colour) -> None:
        self.pen.ellipse([edge * SCALE for edge in box], fill=colour)

    def arc(self, box: Box, start: float, end: float, colour: Colour, width: float) -> None:
        self.pen.arc([edge * SCALE for edge in box], start, end, fill=colour, width=round(width * SCALE))

    def glow(self, x: float, y: float, radius: float, colour: str, strength: float = 1) -> None:
        """Let light fall off around a point."""
        mask = falloff().point(lambda value: round(value * strength))
        mask = mask.resize((round(radius * 2 * SCALE), round(radius * 2 * SCALE)), Image.Resampling.BILINEAR)
        self.image.paste(colour, (round((x - radius) * SCALE), round((y - radius) * SCALE)), mask)

    def wash(self, colour: str, top: float, strength: int) -> None:
        """Lay a thin wash of one colour over the picture below a height."""
        self.box((0, top, WIDTH, HEIGHT), (*mix(colour, colour, 0), strength))

    def soften(self, radius: float) -> None:
        """Blur what has been drawn so far, as a background."""
        small = self.image.reduce(4).filter(ImageFilter.GaussianBlur(radius * SCALE / 4))
        self.image.paste(small.resize(self.image.size, Image.Resampling.BICUBIC))

    def mirror(self, horizon: float, dim: float = 1) -> None:
        """Reflect what stands above the horizon in the water below it."""
        line, depth = round(horizon * SCALE), round((HEIGHT - horizon) * SCALE)
        above = self.image.crop((0, max(0, line - depth), WIDTH * SCALE, line)).transpose(
            Image.Transpose.FLIP_TOP_BOTTOM
        )
        self.image.paste(above.point(lambda value: round(value * dim)), (0, line))

    def finished(self) -> Image.Image:
        """Scale down, and print on paper: a little grain, darker towards the corners."""
        image = self.image.reduce(SCALE)
        image = ImageChops.multiply(image, _vignette())
        return ImageChops.add(image, _grain(), scale=1, offset=-128)


def mix(one: str, other: str, share: float) -> tuple[int, int, int]:
    """Return the colour that stands between two, `share` of the way to the other."""
    first, second = (tuple(bytes.fromhex(colour[1:])) for colour in (one, other))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def hexadecimal(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def scaled(points: Iterable[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


@cache
def gradient(colours: tuple[str, ...]) -> Image.Image:
    steps = Image.new("RGB", (1, len(colours)))
    for place, colour in enumerate(colours):
        steps.paste(colour, (0, place, 1, place + 1))
    # Scaling up spreads a colour over its own step; the crop lets the first and last reach the edge.
    tall = steps.resize((1, 128 * len(colours)), Image.Resampling.BILINEAR)
    return tall.crop((0, 64, 1, tall.height - 64)) if len(colours) > 1 else tall


@cache
def falloff() -> Image.Image:
    return Image.radial_gradient("L").point(lambda far: round(255 * max(0, 1 - far / 181) ** 2))


@cache
def _vignette() -> Image.Image:
    near = Image.radial_gradient("L").point(lambda far: 255 - round(34 * (far / 255) ** 3))
    return Image.merge("RGB", [near.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)] * 3)


@cache
def _grain() -> Image.Image:
    size = (WIDTH // 2, HEIGHT // 2)
    noise = Random("grain").randbytes(size[0] * size[1])  # noqa: S311
    grain = Image.frombytes("L", size, noise).point(lambda value: 128 + round((value - 128) * 0.05))
    return Image.merge("RGB", [grain.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)] * 3)
