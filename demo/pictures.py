"""Pictures for the demo stories, drawn by code so that the project carries no picture files.

The same name gives the same picture each time.
"""

import math
from collections.abc import Callable
from io import BytesIO
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from demo.canvas import HEIGHT, SCALE, WIDTH, Canvas, Colour, Point, falloff, gradient, hexadecimal, mix

Drawing = Callable[[Canvas, Random], None]

DRAWINGS: dict[str, Drawing] = {}


def drawing(function: Drawing) -> Drawing:
    DRAWINGS[function.__name__] = function
    return function


def draw(name: str) -> bytes:
    """Return the WebP file of a drawing."""
    canvas = Canvas()
    DRAWINGS[name](canvas, Random(name))  # noqa: S311 (brush strokes, not secrets)
    file = BytesIO()
    canvas.finished().save(file, "WEBP", quality=72, method=1)
    return file.getvalue()


def _ridge(random: Random, level: float, rise: float, detail: int = 6) -> list[Point]:
    """Return the outline of a range of hills, closed along the bottom of the picture."""
    waves = [
        (rise / n**1.25, n * random.uniform(0.7, 1.3), random.uniform(0, math.tau)) for n in range(1, detail)
    ]
    top = [
        (
            x,
            level
            - sum(height * math.sin(count * x / WIDTH * math.tau + start) for height, count, start in waves),
        )
        for x in range(-8, WIDTH + 9, 4)
    ]
    return [(-8, HEIGHT), *top, (WIDTH + 8, HEIGHT)]


def _ripples(
    canvas: Canvas, random: Random, horizon: float, colour: str, count: int, opacity: int = 70
) -> None:
    """Lay short strokes on water, longer and wider apart towards the reader."""
    red, green, blue = mix(colour, colour, 0)
    for _ in range(count):
        near = random.random() ** 1.7
        y = horizon + 6 + near * (HEIGHT - horizon)
        x, length = random.uniform(-60, WIDTH), random.uniform(14, 60) * (0.4 + 2.6 * near)
        canvas.line(
            [(x, y), (x + length, y)], (red, green, blue, random.randint(12, opacity)), 1 + 2.4 * near
        )


def _stars(canvas: Canvas, random: Random, count: int, floor: float) -> None:
    for _ in range(count):
        x, y = random.uniform(0, WIDTH), floor * random.random() ** 1.2
        size = 0.6 + 1.5 * random.random() ** 4
        canvas.disc(x, y, size, (255, 248, 230, random.randint(70, 220)))


def _trunk(canvas: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    canvas.polygon(
        [(x - height * 0.05, foot), (x - height * 0.025, foot - height), (x + height * 0.025, foot - height),
         (x + height * 0.05, foot)],
        colour,
    )  # fmt: skip


@drawing
def valley(canvas: Canvas, random: Random) -> None:
    """Hills at dusk, one behind the other, and a river that comes down between them."""
    canvas.shade("#51627e", "#8f8a9a", "#d9a58a", "#f3cfa0", bottom=560)
    canvas.glow(1060, 420, 520, "#fff0cc", 0.85)
    canvas.disc(1060, 408, 46, "#fff3d8")
    ranges = [
        (450, 46, "#b9939a", "#d7b0a1"),
        (505, 58, "#8f7f94", "#b99ca0"),
        (575, 62, "#66688a", "#8f879c"),
        (660, 66, "#474f70", "#6a6c88"),
    ]
    for level, rise, top, foot in ranges:
        canvas.area(_ridge(random, level, rise), top, foot, bottom=level + 170)
    canvas.area(_ridge(random, 735, 26, 4), "#39405c", "#2c3049")

    def bank(y: float, side: float) -> float:
        near = (y - 752) / 148
        return 890 + 150 * math.sin(near * 5.2) * (0.2 + near) + side * (7 + 190 * near**1.8)

    heights = [752 + step * 2 for step in range(76)]
    water = [(bank(y, -1), y) for y in heights] + [(bank(y, 1), y) for y in reversed(heights)]
    canvas.area(water, "#f3cfa0", "#d9a58a", "#8f8a9a")
    canvas.area([(-8, HEIGHT), (-8, 800), *[(x, 806 + x * 0.1 + 7 * math.sin(x / 37)) for x in range(0, 620, 8)],
                 (760, HEIGHT)], "#232740", "#1b1e33")  # fmt: skip
    for _ in range(16):
        x = random.uniform(0, 470)
        _pine(canvas, x, 815 + x * 0.1, random.uniform(60, 150), "#1b1e33")


def _pine(canvas: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    for tier in range(5):
        top, width = foot - height * (1 - tier * 0.17), height * (0.07 + tier * 0.035)
        canvas.polygon([(x, top), (x - width, top + height * 0.3), (x + width, top + height * 0.3)], colour)


@drawing
def delta(canvas: Canvas, random: Random) -> None:
    """A river delta from the air: channels that divide and divide again on their way to the sea."""
    canvas.shade("#6f8d86", "#4f7f84", "#35687a", "#254f66", top=380)
    lobes = [(random.uniform(5, 20), random.uniform(1.5, 9), random.uniform(0, math.tau)) for _ in range(6)]
    coast = [
        (
            x,
            560
            + 200 * math.sin(math.pi * x / WIDTH)
            + sum(a * math.sin(n * x / WIDTH * math.tau + s) for a, n, s in lobes),
        )
        for x in range(-8, WIDTH + 9, 4)
    ]
    for drop, shoal in ((46, (126, 156, 144, 60)), (22, (160, 172, 146, 90)), (7, (214, 200, 154, 255))):
        canvas.polygon([(-8, -8), *((x, y + drop) for x, y in coast), (WIDTH + 8, -8)], shoal)
    canvas.area([(-8, -8), *coast, (WIDTH + 8, -8)], "#7d7a52", "#8f8a5c", "#a39a68", "#b5a873", bottom=800)
    shore = dict(coast)
    for _ in range(900):
        x, y, width = random.uniform(0, WIDTH - 4), random.uniform(0, 800), random.uniform(14, 80)
        if y + width * 0.3 < shore[int(x) // 4 * 4]:
            tone = random.choice(["#5f6a42", "#77784a", "#c2b27e", "#8d8550"])
            canvas.ellipse(
                (x - width / 2, y, x + width / 2, y + width * 0.3),
                (*mix(tone, tone, 0), random.randint(20, 64)),
            )

    channels: list[tuple[list[Point], float]] = []

    def flow(x: float, y: float, left: float, right: float, width: float) -> None:
        """Run to the middle of the land between two sides, and divide there."""
        end = (
            left + (right - left) * random.uniform(0.4, 0.6),
            y + random.uniform(0.85, 1.2) * (62 + 1.7 * width),
        )
        sway, turns = random.uniform(-26, 26) * (0.4 + width / 44), random.uniform(1, 2.4)
        course = []
        for step in range(25):
            along = step / 24
            ease = along * along * (3 - 2 * along)
            bend = sway * math.sin(along * math.pi * turns) * math.sin(along * math.pi)
            course.append((x + (end[0] - x) * ease + bend, y + (end[1] - y) * along))
        channels.append((course, width))
        if end[1] < 860 and width > 1.6:
            share = random.uniform(0.4, 0.6)
            flow(*end, left, end[0], width * (0.5 + share * 0.5))
            flow(*end, end[0], right, width * (1 - share * 0.5))

    flow(820, -30, 30, 1570, 40)
    for edge, colour in ((9, "#c9bb88"), (3.5, "#6d7d58"), (0, "#41707a")):
        for course, width in channels:
            within = [(x, y) for x, y in course if 0 <= x <= WIDTH and y < shore[int(x) // 4 * 4] + 3]
            bank = width + edge * min(1, 0.2 + width / 24)
            if len(within) > 1:
                canvas.line(within, colour, bank)
                canvas.disc(*within[-1], bank / 2, colour)
    for course, width in channels:
        shine = [(x - width * 0.15, y) for x, y in course[:-2] if y < 500]
        if width > 9 and len(shine) > 1:
            canvas.line(shine, "#5f8d92", width * 0.2)
    _ripples(canvas, random, 760, "#cfdccf", 60, 40)


@drawing
def freighter(canvas: Canvas, random: Random) -> None:
    """A cargo ship at anchor under the moon."""
    canvas.shade("#141c33", "#22314f", "#46587a", "#8b8fa2", bottom=560)
    _stars(canvas, random, 260, 420)
    canvas.glow(470, 250, 330, "#f4ecd2", 0.5)
    canvas.disc(470, 250, 62, "#f6efdb")
    canvas.disc(455, 238, 11, "#e7dec4")
    canvas.disc(488, 266, 16, "#e9e0c8")
    canvas.area(_ridge(random, 548, 12, 7), "#3a4a69", "#46587a", bottom=562)
    canvas.shade("#576481", "#2b3a58", "#121a2e", top=560)
    for _ in range(420):
        near = random.random() ** 1.5
        y = 566 + near * 330
        x = random.gauss(470, 34 + 90 * near)
        canvas.line([(x, y), (x + random.uniform(16, 70) * (0.4 + near), y)],
                    (246, 239, 219, random.randint(30, 150)), 1 + 2 * near)  # fmt: skip
    _ripples(canvas, random, 560, "#8fa0bd", 260, 46)
    hull = [(770, 560), (1440, 548), (1412, 640), (838, 640)]
    canvas.area(hull, "#2a2530", "#16131c", bottom=640)
    canvas.polygon([(812, 612), (1420, 612), (1412, 640), (838, 640)], "#5b2b2b")
    canvas.line([(772, 566), (1438, 554)], "#a58f78", 3)
    containers = ["#7d4a3c", "#8c6a45", "#4b6270", "#5d6b54", "#6d5561"]
    for bay in range(8):
        for tier in range(random.choice([2, 3, 3, 4])):
            x, y = 852 + bay * 48, 556 - bay * 0.9 - tier * 23
            canvas.box((x, y - 21, x + 45, y), random.choice(containers))
            canvas.line([(x, y - 20), (x + 45, y - 20)], (255, 240, 220, 40), 1.4)
    canvas.box((1270, 424, 1372, 551), "#b9b2a6")
    canvas.box((1258, 410, 1384, 434), "#d2cabb")
    canvas.box((1330, 372, 1362, 412), "#6d3a35")
    for row in range(4):
        for column in range(5):
            lit = random.random() < 0.6
            x, y = 1280 + column * 18, 446 + row * 25
            canvas.box((x, y, x + 10, y + 11), "#ffdf9a" if lit else "#5a5a63")
    canvas.line([(1300, 410), (1300, 330)], "#b9b2a6", 3)
    canvas.glow(1300, 330, 60, "#ffe9b8", 0.9)
    canvas.disc(1300, 330, 4, "#fff6de")
    canvas.line([(812, 556), (812, 470)], "#8d877e", 3)
    canvas.glow(812, 470, 46, "#ffe9b8", 0.8)
    canvas.line([(786, 574), (700, 690)], (20, 18, 26, 200), 2.5)
    for _ in range(90):
        y = 644 + random.random() ** 1.6 * 130
        x = random.uniform(800, 1420)
        canvas.line([(x, y), (x + random.uniform(20, 90), y)], (18, 16, 26, random.randint(50, 130)), 2.4)


@drawing
def islands(canvas: Canvas, random: Random) -> None:
    """An archipelago at dawn, and small boats with lanterns on their way across."""
    canvas.shade("#7fa0a8", "#b6c3b8", "#f0d9b8", "#f6c9a0", bottom=470)
    canvas.glow(800, 455, 560, "#fff3d6", 0.9)
    for _ in range(16):
        x, y = random.uniform(-100, WIDTH), random.uniform(60, 330)
        width = random.uniform(180, 420)
        canvas.ellipse((x, y, x + width, y + width * 0.055), (255, 246, 232, 70))
    canvas.soften(6)
    canvas.shade("#f2cfa6", "#a9b3a6", "#5c8289", "#2f5763", top=470)

    def island(x: float, base: float, width: float, height: float, *colours: str) -> None:
        bumps = [(random.uniform(0.5, 1), random.uniform(0, math.tau)) for _ in range(4)]
        top = []
        for step in range(61):
            along = step / 60
            rough = sum(
                a * math.sin(along * (n + 1) * 5 + start) / (n + 2) for n, (a, start) in enumerate(bumps)
            )
            top.append(
                (x + along * width, base - height * math.sin(along * math.pi) ** 0.8 * (1 + 0.32 * rough))
            )
        canvas.area([(x, base), *top, (x + width, base)], *colours, bottom=base)
        shadow = [(px, base + (base - py) * 0.3) for px, py in top]
        canvas.polygon([(x, base), *shadow, (x + width, base)], (*mix(colours[-1], "#2f5763", 0.4), 90))

    for x, width, height in ((80, 330, 60), (520, 220, 42), (980, 300, 66), (1330, 330, 50)):
        island(x, 474, width, height, "#a9aca6", "#c9bda8")
    island(-120, 520, 520, 150, "#6f8786", "#9aa498")
    island(1120, 532, 560, 170, "#64807f", "#90a097")
    island(430, 566, 300, 92, "#4d6c6e", "#7b938c")
    island(-90, 650, 420, 150, "#2f5155", "#547471")
    island(1290, 690, 460, 190, "#27474c", "#486a68")
    _ripples(canvas, random, 480, "#fff0d6", 330, 90)
    for x, y, size in ((520, 690, 1.0), (700, 748, 1.25), (905, 665, 0.85), (1030, 800, 1.55), (820, 600, 0.55),
                       (640, 625, 0.6), (380, 790, 1.4)):  # fmt: skip
        canvas.polygon([(x - 46 * size, y - 9 * size), (x + 50 * size, y - 13 * size), (x + 34 * size, y + 7 * size),
                        (x - 32 * size, y + 7 * size)], "#2b2a30")  # fmt: skip
        canvas.line([(x + 22 * size, y - 8 * size), (x + 22 * size, y - 52 * size)], "#2b2a30", 3 * size)
        canvas.disc(x - 12 * size, y - 24 * size, 7 * size, "#2b2a30")
        canvas.polygon(
            [(x - 22 * size, y - 8 * size), (x - 12 * size, y - 26 * size), (x - 1 * size, y - 8 * size)],
            "#2b2a30",
        )
        canvas.glow(x + 22 * size, y - 52 * size, 46 * size, "#ffc869", 0.95)
        canvas.disc(x + 22 * size, y - 52 * size, 6 * size, "#fff0c4")
        for n in range(6):
            canvas.line([(x + (12 + n) * size, y + (14 + n * 9) * size), (x + (34 - n) * size, y + (14 + n * 9) * size)],
                        (255, 205, 120, 150 - n * 22), 2.5 * size)  # fmt: skip


@drawing
def bridge(canvas: Canvas, random: Random) -> None:
    """An old iron bridge on stone piers, its arches closed to ovals by their reflection."""
    canvas.shade("#8fa3ad", "#b9c2bf", "#e4d8c0", "#efcfa6", bottom=590)
    canvas.glow(380, 520, 480, "#fff2d4", 0.8)
    for level, tone in ((520, "#b7b3a8"), (548, "#9a9c98")):
        x = -20.0
        while x < WIDTH:
            width, height = random.uniform(34, 92), random.uniform(8, 74)
            canvas.box((x, level - height, x + width, 592), tone)
            if random.random() < 0.3:
                canvas.polygon(
                    [(x, level - height), (x + width / 2, level - height - 24), (x + width, level - height)],
                    tone,
                )
            if random.random() < 0.16:
                canvas.polygon(
                    [(x + 6, level - height), (x + 14, level - height - 90), (x + 22, level - height)], tone
                )
            x += width
    canvas.soften(1.5)
    iron, dark, stone = "#3c4a4d", "#2a3538", "#6d6a62"
    deck, spring = 372, 556
    spans = [(-160, 250), (290, 790), (830, 1330), (1370, 1780)]
    for left, right in spans:
        middle, half = (left + right) / 2, (right - left) / 2
        crown = deck + 34
        for offset, width in ((0, 15), (26, 7)):
            arch = [
                (middle + half * math.cos(turn), spring + offset - (spring - crown) * math.sin(turn))
                for turn in (math.pi * step / 60 for step in range(61))
            ]
            canvas.line(arch, iron, width)
        for step in range(1, 20):
            x = left + (right - left) * step / 20
            rise = (spring - crown) * math.sqrt(max(0, 1 - ((x - middle) / half) ** 2))
            canvas.line([(x, deck), (x, spring - rise)], iron, 4)
            nearby = x + (right - left) / 20
            if step < 19:
                other = (spring - crown) * math.sqrt(max(0, 1 - ((nearby - middle) / half) ** 2))
                canvas.line([(x, spring - rise), (nearby, spring + 26 - other)], iron, 2.6)
    for left, right in ((250, 290), (790, 830), (1330, 1370)):
        canvas.area([(left - 6, deck - 4), (right + 6, deck - 4), (right + 16, 592), (left - 16, 592)], "#857f73", stone,
                    bottom=592)  # fmt: skip
        for course in range(11):
            y = deck + 12 + course * 19
            canvas.line([(left - 8 - course * 0.6, y), (right + 8 + course * 0.6, y)], (40, 38, 34, 60), 1.4)
        canvas.box((left - 12, deck - 16, right + 12, deck + 6), "#79746a")
    canvas.box((-10, deck - 8, WIDTH + 10, deck + 14), dark)
    canvas.line([(-10, deck - 44), (WIDTH + 10, deck - 44)], dark, 4)
    for x in range(-10, WIDTH, 20):
        canvas.line([(x, deck - 44), (x, deck - 8)], dark, 1.8)
    for x in (270, 810, 1350):
        canvas.line([(x, deck - 12), (x, deck - 128)], dark, 6)
        canvas.glow(x, deck - 138, 62, "#ffe7ad", 0.85)
        canvas.disc(x, deck - 138, 10, "#fff3cf")
    for x, height in (
        (430, 46),
        (462, 42),
        (600, 45),
        (950, 44),
        (1010, 30),
        (1034, 46),
        (1180, 44),
        (1214, 45),
        (110, 44),
    ):
        _walker(canvas, x, deck - 8, height, dark)
    canvas.mirror(590, 0.8)
    canvas.wash("#3f5a60", top=590, strength=96)
    _ripples(canvas, random, 590, "#e9dcc0", 330, 70)
    _ripples(canvas, random, 590, "#2a3f45", 260, 110)


def _walker(canvas: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    canvas.disc(x, foot - height * 0.9, height * 0.1, colour)
    canvas.polygon([(x - height * 0.15, foot - height * 0.42), (x - height * 0.1, foot - height * 0.78),
                    (x + height * 0.1, foot - height * 0.78), (x + height * 0.15, foot - height * 0.42)], colour)  # fmt: skip
    for lean in (-0.13, 0.13):
        canvas.line([(x, foot - height * 0.46), (x + height * lean, foot)], colour, height * 0.08)


@drawing
def tramlines(canvas: Canvas, random: Random) -> None:
    """A wet street at night, its rails running to the lights of a tram."""
    canvas.shade("#101626", "#1c2740", "#3a4362", "#6a5a6b", bottom=600)
    vanish = (800.0, 468.0)

    def towards(x: float, y: float, share: float) -> Point:
        return x + (vanish[0] - x) * share, y + (vanish[1] - y) * share

    for side in (-1, 1):
        for block in range(7):
            near, far = 1 - 0.87 ** (block * 2.2), 1 - 0.87 ** ((block + 1) * 2.2 - 0.12)
            edge = 800 + side * 900
            top = random.uniform(-330, -60)
            tone = mix("#161b2b", "#4b4a63", block / 7)
            corners = [
                towards(edge, top, near),
                towards(edge, top, far),
                towards(edge, 760, far),
                towards(edge, 760, near),
            ]
            canvas.polygon(corners, tone)
            for floor in range(9):
                for window in range(5):
                    if random.random() < 0.42:
                        start = near + (far - near) * (window + 0.2) / 5
                        end = near + (far - near) * (window + 0.68) / 5
                        high = top + 60 + floor * (700 - top) / 10.5
                        low = high + 44
                        if low > 640:
                            continue
                        warm = mix("#e8b56a", "#ffe1a3", random.random())
                        canvas.polygon([towards(edge, high, start), towards(edge, high, end), towards(edge, low, end),
                                        towards(edge, low, start)], (*warm, random.randint(90, 225)))  # fmt: skip
    canvas.shade("#5f5566", "#2e3146", "#161a29", top=560, bottom=HEIGHT)
    canvas.polygon([(0, 560), (800, 468), (1600, 560), (1600, 600), (0, 600)], "#4b465a")
    canvas.polygon([vanish, (0, 560), (0, HEIGHT), (WIDTH, HEIGHT), (WIDTH, 560)], "#262a3d")
    canvas.area([vanish, (-700, HEIGHT), (2300, HEIGHT)], "#6e6374", "#3a3a50", "#1a1e2e")
    for _ in range(240):
        near = random.random() ** 1.6
        y = 490 + near * 410
        x = 800 + random.uniform(-1, 1) * (60 + 900 * near)
        canvas.line([(x, y), (x, y + random.uniform(6, 60) * (0.2 + near))],
                    (255, 205, 130, random.randint(6, 26)), 2 + 6 * near)  # fmt: skip
    for foot in (470, 690, 910, 1130):
        canvas.line([(foot * 3.4 - 800 * 2.4, HEIGHT + 200), vanish], (14, 17, 28, 220), 1)
        canvas.polygon([(foot * 3.0 - 1600 - 9, HEIGHT), (foot * 3.0 - 1600 + 9, HEIGHT), vanish], "#0f1320")
        canvas.polygon([(foot * 3.0 - 1600 - 4, HEIGHT), (foot * 3.0 - 1600 + 5, HEIGHT), vanish], "#d9c3a0")
    canvas.line([(560, -10), (806, 400)], (12, 15, 26, 230), 2.5)
    canvas.line([(1040, -10), (812, 400)], (12, 15, 26, 230), 2.5)
    x, y = 812, 402
    canvas.glow(x, y + 50, 330, "#ffdca0", 0.62)
    canvas.box((x - 62, y - 46, x + 62, y + 92), "#7c2f2c", 14)
    canvas.box((x - 62, y + 30, x + 62, y + 60), "#e5d3b0")
    canvas.box((x - 50, y - 22, x + 50, y + 22), "#ffe9bb", 6)
    canvas.line([(x, y - 22), (x, y + 22)], "#7c2f2c", 4)
    canvas.box((x - 34, y - 42, x + 34, y - 28), "#2a2230", 3)
    canvas.box((x - 26, y - 38, x + 26, y - 32), "#ffcf7c")
    canvas.box((x - 54, y + 92, x + 54, y + 102), "#15121c")
    for lamp in (-40, 40):
        canvas.glow(x + lamp, y + 74, 80, "#fff3d0", 1)
        canvas.disc(x + lamp, y + 74, 8, "#fffaf0")
    for step in range(40):
        reach = step / 40
        canvas.line([(x - 50 - 20 * reach, 506 + step * 8), (x + 50 + 20 * reach, 506 + step * 8)],
                    (255, 214, 150, round(64 * (1 - reach))), 6)  # fmt: skip


@drawing
def lighthouse(canvas: Canvas, random: Random) -> None:
    """A lighthouse on a rock as the day goes, its beam lying over the sea."""
    canvas.shade("#2b3a55", "#51617c", "#9b8f98", "#dba887", bottom=640)
    canvas.glow(300, 640, 620, "#f4c79a", 0.6)
    _stars(canvas, random, 90, 260)
    for _ in range(12):
        x, y, width = random.uniform(-200, WIDTH), random.uniform(330, 590), random.uniform(240, 620)
        canvas.ellipse((x, y, x + width, y + width * 0.05), (90, 88, 110, 74))
    canvas.soften(7)
    light = (1108, 238)
    beams = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(beams)
    pen.polygon([light, (-200, 20), (-200, 250)], fill=96)
    pen.polygon([light, (1900, 236), (1900, 370)], fill=84)
    beams = ImageChops.multiply(beams.filter(ImageFilter.GaussianBlur(7)), _centred_falloff(light, 1150))
    canvas.image.paste("#ffeec2", mask=beams.resize(canvas.image.size))
    canvas.shade("#c49a86", "#6b7086", "#33435c", "#1b2638", top=640)
    for row in range(22):
        near = row / 21
        y = 648 + near**1.5 * 260
        wave = [
            (x, y + (1 + 4 * near) * math.sin(x / (60 + 90 * near) + row * 1.9))
            for x in range(-10, WIDTH + 20, 10)
        ]
        canvas.line(wave, (*mix("#f0cfae", "#7f8da6", near), 84), 1.2 + 2.2 * near)
    canvas.box((1160, 566, 1248, 650), "#d9cbb9")
    canvas.polygon([(1152, 568), (1204, 532), (1256, 568)], "#6d3a38")
    canvas.box((1194, 590, 1212, 610), "#ffd98c")
    rock = [(820, 760), (862, 700), (930, 684), (968, 640), (1040, 626), (1090, 604), (1150, 606), (1210, 632), (1262, 640),
            (1316, 690), (1390, 706), (1450, 764), (1500, 800), (790, 800)]  # fmt: skip
    canvas.area(rock, "#3d3a45", "#1d1f2b", bottom=800)
    for start, end in (
        ((968, 640), (1000, 740)),
        ((1150, 606), (1120, 720)),
        ((1262, 640), (1290, 760)),
        ((1040, 626), (1052, 690)),
    ):
        canvas.line(
            [start, ((start[0] + end[0]) / 2 + 14, (start[1] + end[1]) / 2), end], (12, 13, 20, 150), 3
        )
    for _ in range(150):
        y = 796 + random.random() ** 2 * 40
        x = random.uniform(790 - (y - 796), 1450 + (y - 796))
        canvas.line([(x, y), (x + random.uniform(12, 60), y)], (240, 230, 220, random.randint(30, 150)), 2.2)
    x = 1108
    canvas.area(
        [(x - 42, 612), (x - 28, 284), (x + 28, 284), (x + 42, 612)], "#efe4d3", "#cfc0b0", bottom=612
    )
    for top in (330, 430, 530):
        slope = (top - 284) / 328 * 14
        further = (top + 44 - 284) / 328 * 14
        canvas.polygon(
            [
                (x - 28 - slope, top),
                (x + 28 + slope, top),
                (x + 28 + further, top + 44),
                (x - 28 - further, top + 44),
            ],
            "#9c4a3f",
        )
    canvas.polygon([(x + 10, 284), (x + 28, 284), (x + 42, 612), (x + 15, 612)], (30, 26, 40, 70))
    canvas.box((x - 40, 274, x + 40, 288), "#2b2a35")
    canvas.box((x - 22, 214, x + 22, 274), "#ffe9b2")
    for bar in (-22, -7, 7, 22):
        canvas.line([(x + bar, 214), (x + bar, 274)], "#2b2a35", 3)
    canvas.polygon([(x - 30, 216), (x, 176), (x + 30, 216)], "#9c4a3f")
    canvas.line([(x, 178), (x, 154)], "#2b2a35", 3)
    canvas.glow(x, 244, 150, "#fff2c8", 0.9)
    for y in (400, 500):
        canvas.box((x - 7, y - 12, x + 7, y + 12), "#3a3440", 6)


def _centred_falloff(centre: Point, radius: int) -> Image.Image:
    light = Image.new("L", (WIDTH, HEIGHT))
    light.paste(
        falloff().resize((radius * 2, radius * 2)), (round(centre[0]) - radius, round(centre[1]) - radius)
    )
    return light.point(lambda value: min(255, value * 2))


@drawing
def orchard(canvas: Canvas, random: Random) -> None:
    """Rows of fruit trees in autumn, seen from a little above."""
    canvas.shade("#b9c4bd", "#dcd6bf", "#efdfba", bottom=260)
    canvas.area(_ridge(random, 226, 26, 5), "#9aa793", "#b4b79a", bottom=330)
    canvas.area(_ridge(random, 262, 18, 5), "#7c8d74", "#9aa37f", bottom=340)
    canvas.shade("#a3a873", "#87945c", "#66783f", top=278)
    crowns = ["#b5652f", "#c98a3a", "#9a4a2c", "#a9953f", "#7d8540", "#c4772f"]
    for row in range(13):
        near = (row / 12) ** 1.7
        y, gap = 292 + near * 640, 42 + near * 210
        size, count = 11 + near * 66, int(WIDTH / (42 + near * 210)) + 3
        for column in range(-count // 2, count // 2 + 2):
            x = 800 + (column + 0.5 * (row % 2)) * gap
            canvas.ellipse(
                (x - size * 0.5, y - size * 0.16, x + size * 1.7, y + size * 0.22), (46, 56, 30, 120)
            )
            _trunk(canvas, x, y, size * 0.9, "#4d3b2b")
            tone = random.choice(crowns)
            centre = y - size * 1.35
            for _ in range(15):
                angle, reach = random.uniform(0, math.tau), size * 0.72 * math.sqrt(random.random())
                spot = x + reach * math.cos(angle), centre + reach * 0.82 * math.sin(angle)
                light = 0.5 - 0.5 * math.sin(angle) * reach / size / 0.72 * 0.9
                colour = mix("#5a3a22", tone, 0.42 + 0.58 * light)
                canvas.disc(*spot, size * random.uniform(0.24, 0.4), colour)
            for _ in range(7):
                angle, reach = random.uniform(0, math.tau), size * random.uniform(0.1, 0.8)
                canvas.disc(
                    x + reach * math.cos(angle),
                    centre + reach * 0.8 * math.sin(angle),
                    size * 0.055,
                    "#e9c46c",
                )


@drawing
def bookshelf(canvas: Canvas, random: Random) -> None:
    """Library shelves, with tools lent between the books."""
    canvas.shade("#4a3728", "#3b2c20")
    spines = [
        "#7b3f35",
        "#2f4a4f",
        "#8a6b3d",
        "#53603f",
        "#3f3c58",
        "#a58d62",
        "#6b4a52",
        "#c2ad84",
        "#394a3a",
    ]
    for shelf in range(3):
        floor = 286 + shelf * 296
        canvas.area(
            [(0, floor - 264), (WIDTH, floor - 264), (WIDTH, floor), (0, floor)],
            "#1f1712",
            "#2e2219",
            bottom=floor,
        )
        x, number = 14.0, 0
        gap = random.uniform(420, 1020)
        while x < WIDTH - 20:
            if gap < x < gap + 60:
                _tool(canvas, shelf, x + 118, floor)
                x += 250
                continue
            width, height = random.uniform(20, 54), random.uniform(158, 236)
            colour = spines[(number * 5 + shelf * 2 + random.randint(0, 2)) % len(spines)]
            lean = random.random() < 0.07
            shift = 26 if lean else 0
            canvas.area([(x, floor), (x + shift, floor - height), (x + shift + width, floor - height), (x + width, floor)],
                        colour, hexadecimal(mix(colour, "#120c08", 0.38)), bottom=floor)  # fmt: skip
            if not lean:
                canvas.box((x, floor - height, x + 4, floor), (255, 240, 210, 34))
                canvas.box((x + width - 5, floor - height, x + width, floor), (0, 0, 0, 60))
                band = (232, 210, 160, 190) if number % 3 else (20, 14, 10, 120)
                for place in ((0.14, 0.17), (0.8, 0.83)) if number % 2 else ((0.2, 0.42),):
                    canvas.box(
                        (
                            x + 4,
                            floor - height * (1 - place[0]),
                            x + width - 4,
                            floor - height * (1 - place[1]),
                        ),
                        band,
                    )
            x += width + shift + random.choice([1, 1, 2, 3])
            number += 1
        canvas.area(
            [(0, floor), (WIDTH, floor), (WIDTH, floor + 32), (0, floor + 32)],
            "#8d6a45",
            "#5d432b",
            bottom=floor + 32,
        )
        canvas.line([(0, floor + 1), (WIDTH, floor + 1)], (255, 226, 180, 90), 2)
    canvas.glow(800, 120, 900, "#ffdca0", 0.16)


def _tool(canvas: Canvas, kind: int, x: float, floor: float) -> None:
    steel, wood = "#b9bcb6", "#c58d4e"
    if kind == 0:  # a hand drill standing on its side
        canvas.disc(x - 10, floor - 74, 58, "#a8493a")
        canvas.disc(x - 10, floor - 74, 44, "#2a2019")
        canvas.disc(x - 10, floor - 74, 13, "#a8493a")
        for turn in range(6):
            angle = turn * math.pi / 3
            canvas.line(
                [(x - 10, floor - 74), (x - 10 + 52 * math.cos(angle), floor - 74 + 52 * math.sin(angle))],
                "#a8493a",
                8,
            )
        canvas.box((x - 84, floor - 200, x - 66, floor), steel, 4)
        canvas.box((x - 92, floor - 236, x - 58, floor - 176), wood, 14)
        canvas.box((x + 30, floor - 84, x + 74, floor - 64), wood, 9)
    elif kind == 1:  # a watering can
        canvas.polygon(
            [(x - 64, floor), (x - 54, floor - 118), (x + 34, floor - 118), (x + 44, floor)], "#5f7f78"
        )
        canvas.polygon(
            [(x + 40, floor - 36), (x + 104, floor - 148), (x + 116, floor - 140), (x + 44, floor - 8)],
            "#52706a",
        )
        canvas.polygon(
            [(x + 92, floor - 158), (x + 128, floor - 134), (x + 122, floor - 124), (x + 86, floor - 148)],
            "#6d8d86",
        )
        canvas.arc((x - 60, floor - 196, x + 40, floor - 60), 180, 360, "#52706a", 10)
        canvas.line([(x - 56, floor - 96), (x + 36, floor - 96)], (240, 246, 240, 70), 4)
    else:  # a hammer that stands on its head, and a ball of twine
        canvas.polygon(
            [(x - 52, floor - 40), (x - 57, floor - 212), (x - 33, floor - 212), (x - 38, floor - 40)], wood
        )
        canvas.box((x - 57, floor - 212, x - 33, floor - 160), "#7b3f35", 9)
        canvas.box((x - 92, floor - 44, x - 8, floor), steel, 6)
        canvas.box((x - 108, floor - 48, x - 84, floor), "#9da19b", 5)
        canvas.disc(x + 64, floor - 46, 46, "#b8955c")
        for turn in range(5):
            canvas.arc(
                (x + 18 + turn * 8, floor - 92, x + 110 - turn * 8, floor),
                200,
                340 + turn * 8,
                (90, 66, 34, 150),
                3,
            )


@drawing
def coral(canvas: Canvas, random: Random) -> None:
    """A reef in blue water, with branching coral and a shoal of small fish."""
    canvas.shade("#9fc9c4", "#5aa0a6", "#2b6f80", "#143f55", "#0c2a3d")
    beams = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(beams)
    for _ in range(9):
        top, floor, width = random.uniform(200, 1300), random.uniform(-200, 1700), random.uniform(20, 90)
        pen.polygon(
            [(top, -10), (top + width, -10), (floor + width * 4, 900), (floor, 900)],
            fill=random.randint(20, 54),
        )
    fade = gradient(("#ffffff", "#000000", "#000000")).convert("L").resize((WIDTH, HEIGHT))
    beams = ImageChops.multiply(beams.filter(ImageFilter.GaussianBlur(16)), fade)
    canvas.image.paste("#e6f5ea", mask=beams.resize(canvas.image.size))
    canvas.area(_ridge(random, 800, 46, 6), "#1f4a5b", "#16384a")
    for start, length, colour in (
        ((210, 850), 60, "#2f6670"), ((1420, 860), 66, "#2f6670"), ((800, 868), 52, "#2b5d6b"),
    ):  # fmt: skip
        _branch(canvas, random, start, -math.pi / 2, length, 12, 7, colour, "#5b9694")
    canvas.soften(3)
    for _ in range(46):
        angle, reach = random.uniform(0, math.tau), random.random() ** 0.6
        x, y = 900 + 330 * reach * math.cos(angle), 300 + 120 * reach * math.sin(angle) + 40 * math.cos(angle)
        size, tilt = random.uniform(9, 17), random.uniform(-0.1, 0.25)
        tone = mix("#f0c27a", "#d98c58", random.random())
        canvas.polygon(
            [(x - size, y), (x, y - size * 0.42), (x + size, y + size * tilt), (x, y + size * 0.42)], tone
        )
        canvas.polygon(
            [(x - size * 0.8, y), (x - size * 1.6, y - size * 0.45), (x - size * 1.5, y + size * 0.45)], tone
        )
    canvas.area(_ridge(random, 856, 30, 6), "#123243", "#0a1f2d")
    for start, length, depth, foot, tip in (
        ((330, 880), 92, 8, "#8e3f46", "#f0a58e"), ((1180, 890), 98, 8, "#a55a34", "#f2c58a"),
        ((640, 892), 64, 7, "#5a4a78", "#c3a6cf"), ((1500, 880), 76, 8, "#8a4060", "#eaa3b1"),
        ((40, 880), 72, 7, "#a0703a", "#efd39a"), ((910, 900), 46, 7, "#8e3f46", "#efb49f"),
    ):  # fmt: skip
        _branch(canvas, random, start, -math.pi / 2, length, 22, depth, foot, tip)
    for x, y, radius in ((480, 880, 74), (1340, 896, 62), (790, 905, 58)):
        canvas.disc(x, y, radius, "#6f7a4a")
        canvas.disc(x - radius * 0.1, y - radius * 0.1, radius * 0.86, "#8a9459")
        for turn in range(7):
            wave = [
                (
                    x - radius * 0.8 + n * radius * 0.1,
                    y - radius * 0.62 + turn * radius * 0.2 + 5 * math.sin(n * 1.3 + turn * 2),
                )
                for n in range(17)
            ]
            inside = [p for p in wave if math.dist(p, (x, y)) < radius * 0.84]
            if len(inside) > 1:
                canvas.line(inside, "#616b3d", 4)


def _branch(
    canvas: Canvas,
    random: Random,
    start: Point,
    heading: float,
    length: float,
    width: float,
    depth: int,
    foot: str,
    tip: str,
) -> None:
    end = start[0] + length * math.cos(heading), start[1] + length * math.sin(heading)
    colour = mix(tip, foot, depth / 8)
    canvas.line([start, end], colour, width)
    canvas.disc(*end, width / 2, colour)
    if depth == 0:
        canvas.disc(*end, width * 0.8, tip)
        return
    for side in (-1, 1):
        turn = heading + side * random.uniform(0.16, 0.52) + (-math.pi / 2 - heading) * 0.12
        _branch(
            canvas,
            random,
            end,
            turn,
            length * random.uniform(0.74, 0.9),
            max(3.4, width * 0.8),
            depth - 1,
            foot,
            tip,
        )


@drawing
def soundscape(canvas: Canvas, random: Random) -> None:
    """A day of sound on the reef as a chart: pitch upwards, time to the right, loudness as light."""
    canvas.shade("#0f1d2b", "#12283a")
    left, right, top, floor = 60, 1540, 60, 840
    columns, rows = 185, 78
    width, height = (right - left) / columns, (floor - top) / rows
    for column in range(columns):
        hour = column / columns * 24
        chorus = math.exp(-((hour - 5.6) ** 2) / 2.2) + 0.9 * math.exp(-((hour - 18.9) ** 2) / 2.6)
        for row in range(rows):
            pitch = row / rows
            shrimp = (
                0.34 * math.exp(-((pitch - 0.72) ** 2) / 0.03) * (0.7 + 0.5 * math.cos(hour / 24 * math.tau))
            )
            fish = chorus * (
                math.exp(-((pitch - 0.2) ** 2) / 0.006) + 0.55 * math.exp(-((pitch - 0.38) ** 2) / 0.004)
            )
            surf = 0.5 * math.exp(-pitch / 0.05)
            loud = min(1, (shrimp + fish + surf) * random.uniform(0.62, 1.15) + random.uniform(0, 0.1))
            colour = (
                mix("#14303f", "#3f8a8c", loud * 2) if loud < 0.5 else mix("#3f8a8c", "#f7dc9b", loud * 2 - 1)
            )
            x, y = left + column * width, floor - (row + 1) * height
            canvas.box((x, y, x + width - 1.2, y + height - 1.2), colour)
    for hour in range(0, 25, 6):
        x = left + (right - left) * hour / 24
        canvas.line([(x, floor + 6), (x, floor + 24)], "#8fb0b0", 2)


@drawing
def strata(canvas: Canvas, random: Random) -> None:
    """Layers of earth in section, thin and thick, under a strip of autumn wood."""
    canvas.shade("#c9d2cf", "#e9dfc6", bottom=210)
    canvas.area(_ridge(random, 170, 16, 6), "#a7b0a0", "#b9b99f", bottom=260)
    tones = [
        "#6b5540",
        "#a98a5e",
        "#8a6f4c",
        "#cbb386",
        "#7a5f4a",
        "#b89a6a",
        "#94805f",
        "#d8c69c",
        "#5b4a3d",
        "#a0764e",
        "#87786a",
        "#c2a273",
    ]
    waves = [(random.uniform(12, 34), random.uniform(0.5, 1.2)) for _ in range(3)]
    level, number = 214.0, 0
    fault = 1010

    def bend(x: float, depth: float) -> float:
        swell = sum(
            height * math.sin(count * x / WIDTH * math.tau + n) for n, (height, count) in enumerate(waves)
        )
        slip = 44 / (1 + math.exp(-(x - fault - depth * 0.22) / 7))
        return swell * min(1, 0.2 + depth / 420) + slip * min(1, depth / 60)

    while level < HEIGHT + 120:
        tone = tones[(number * 5 + random.randint(0, 3)) % len(tones)]
        thick = random.choice([9, 14, 20, 32, 48, 66])
        depth = level - 214
        rough = [(random.uniform(0, 2.2), random.uniform(0.02, 0.12)) for _ in range(2)]
        top = [
            (x, level + bend(x, depth) + sum(a * math.sin(x * f + number) for a, f in rough))
            for x in range(-10, WIDTH + 20, 6)
        ]
        canvas.area([(-10, HEIGHT), *top, (WIDTH + 10, HEIGHT)], tone, hexadecimal(mix(tone, "#2b211a", 0.35)),
                    bottom=level + thick + 220)  # fmt: skip
        canvas.line(top, (40, 28, 20, 110), 1.6)
        for _ in range(thick):
            x = random.uniform(0, WIDTH)
            y = level + bend(x, depth) + random.uniform(4, max(5, thick - 2))
            if thick > 40 and random.random() < 0.5:
                size = random.uniform(3, 9)
                canvas.ellipse((x, y, x + size * 2.2, y + size), (*mix(tone, "#f2e6c8", 0.35), 150))
            else:
                canvas.line(
                    [(x, y), (x + random.uniform(10, 46), y + random.uniform(-1, 1))], (48, 34, 24, 66), 1.4
                )
        level, number = level + thick, number + 1
    for x, y in ((210, 640), (520, 806), (760, 470), (1240, 760), (1420, 560)):
        for turn in range(40):
            angle, radius = turn * 0.42, 2 + turn * 0.72
            canvas.disc(
                x + radius * math.cos(angle),
                y + radius * math.sin(angle),
                1 + turn * 0.11,
                (238, 224, 190, 160),
            )
    turf = [(x, 214 + bend(x, 0) - 4 + 3 * math.sin(x / 9)) for x in range(-10, WIDTH + 20, 6)]
    canvas.line(turf, "#4d5a33", 13)
    for _ in range(54):
        x = random.uniform(-10, WIDTH)
        foot = 212 + bend(x, 0)
        height = random.uniform(42, 118)
        _trunk(canvas, x, foot, height, "#4a3b2d")
        tone = random.choice(["#b5652f", "#c98a3a", "#8b5a2e", "#a9953f", "#7d8540"])
        for _ in range(9):
            canvas.disc(x + random.gauss(0, height * 0.15), foot - height + random.gauss(0, height * 0.17),
                        height * random.uniform(0.1, 0.19), (*mix(tone, "#3c2a1a", random.uniform(0, 0.35)), 225))  # fmt: skip


@drawing
def constellations(canvas: Canvas, random: Random) -> None:
    """A night sky over dark hills, with a few stars joined into figures."""
    canvas.shade("#070b1c", "#0f1a33", "#1d3350", "#37556b", "#7b8580", bottom=800)
    for step in range(150):
        along = step / 149
        x, y = -60 + along * 1700, 640 - along * 640 + random.gauss(0, 62)
        canvas.glow(x, y, random.uniform(50, 130), random.choice(["#7f8fb0", "#a99bb0", "#5f7aa0"]), 0.085)
    _stars(canvas, random, 950, 780)
    for _ in range(420):
        along = random.random()
        canvas.disc(
            -20 + along * 1640,
            630 - along * 630 + random.gauss(0, 54),
            random.uniform(0.5, 1.2),
            (255, 248, 230, 150),
        )
    heron = [(250, 190), (330, 236), (392, 214), (470, 262), (452, 344), (520, 402), (392, 214), (352, 130)]
    boat = [(930, 250), (1010, 336), (1150, 352), (1250, 280), (930, 250), (1082, 120), (1150, 352)]
    for figure in (heron, boat):
        canvas.line(figure, (214, 222, 236, 84), 1.5)
        for x, y in figure:
            canvas.glow(x, y, 24, "#dfe8ff", 0.7)
            canvas.disc(x, y, 3.6, "#fffaf0")
    canvas.area(_ridge(random, 760, 40, 6), "#22303f", "#16202c")
    canvas.area(_ridge(random, 806, 30, 6), "#141d29", "#0d141d")
    canvas.area(_ridge(random, 862, 16, 4), "#0a0f17", "#070a10")
    canvas.polygon([(1180, 842), (1180, 806), (1204, 786), (1228, 806), (1228, 842)], "#070a10")
    canvas.glow(1204, 822, 40, "#e8a45c", 0.5)
    canvas.box((1199, 815, 1209, 827), "#f2b66c")
    for x, height in ((620, 58), (652, 46)):
        _walker(canvas, x, 868, height, "#05070c")


@drawing
def wheat(canvas: Canvas, random: Random) -> None:
    """Rows of ripe wheat that meet at a low horizon under a wide summer sky."""
    canvas.shade("#7f9db0", "#b4c4c6", "#e6dcc2", "#f2dcae", bottom=400)
    for _ in range(15):
        x, y = random.uniform(-100, WIDTH), random.uniform(50, 300)
        for _ in range(9):
            width = random.uniform(80, 210)
            spot = x + random.gauss(0, 90), y + random.gauss(0, 10)
            canvas.ellipse((spot[0], spot[1], spot[0] + width, spot[1] + width * 0.16), (255, 250, 238, 60))
    canvas.soften(7)
    canvas.area(_ridge(random, 382, 14, 6), "#8c9a86", "#a9a985", bottom=420)
    canvas.shade("#d9bf78", "#c9a356", "#9d7433", "#6f4e22", top=398)
    vanish = (960.0, 392.0)
    for row in range(-34, 35):
        foot = 800 + row * 118
        stripe = mix("#e6c87c", "#b98f45", row % 2)
        canvas.polygon([(foot - 34, HEIGHT + 40), (foot + 34, HEIGHT + 40), vanish], (*stripe, 120))
        canvas.polygon([(foot + 40, HEIGHT + 40), (foot + 62, HEIGHT + 40), vanish], (84, 58, 26, 130))
    canvas.glow(960, 392, 420, "#fbe7b4", 0.75)
    stalks = sorted((random.random() ** 0.62, random.uniform(-60, WIDTH + 60)) for _ in range(1500))
    for near, x in stalks:
        y = 430 + near * 520
        size = 5 + near**1.6 * 80
        lean = random.uniform(-0.1, 0.34)
        tip = x + size * lean, y - size
        tone = mix(hexadecimal(mix("#efd48a", "#d2a550", random.random())), "#8a6128", random.uniform(0, 0.5))
        canvas.line([(x, y), tip], tone, 0.8 + near * 1.9)
        if near > 0.2:
            for grain in range(6):
                gx, gy = tip[0] + lean * grain * size * 0.06, tip[1] - grain * size * 0.062
                for side in (-1, 1):
                    canvas.disc(gx + side * size * 0.03, gy, size * 0.042, tone)
            canvas.line(
                [tip, (tip[0] + lean * size * 0.8, tip[1] - size * 0.62)], (*tone, 120), 0.8 + near * 0.5
            )
        else:
            canvas.line([tip, (tip[0] + lean * size * 0.3, tip[1] - size * 0.36)], tone, 1.6)


@drawing
def score(canvas: Canvas, random: Random) -> None:
    """Five lines of a stave that swell like the sea, with notes afloat on them."""
    canvas.shade("#efe4cf", "#e6d6ba", "#d8c3a3")
    for _ in range(60):
        x, y, width = random.uniform(-100, WIDTH), random.uniform(-50, HEIGHT), random.uniform(120, 420)
        canvas.ellipse((x, y, x + width, y + width * 0.4), (170, 136, 92, 9))
    canvas.soften(14)

    def wave(x: float, line: float, shift: float) -> float:
        return (
            58 * math.sin(x / 250 + shift) * (0.55 + 0.45 * math.sin(x / 900 + shift))
            + 16 * math.sin(x / 93 + shift * 2 + line * 0.14)
            + line * (27 + 9 * math.sin(x / 330 + shift * 1.7))
        )

    for base, shift, ink, strength in (
        (150, 0.4, "#8f7a64", 90),
        (720, 4.4, "#8f7a64", 90),
        (400, 2.2, "#2f3a4a", 255),
    ):
        for line in range(5):
            points = [(x, base + wave(x, line, shift)) for x in range(-10, WIDTH + 20, 8)]
            canvas.line(points, (*mix(ink, ink, 0), strength), 3.4 if strength == 255 else 2.4)
    base, shift = 400, 2.2
    surface = [(x, base + wave(x, 4, shift)) for x in range(-10, WIDTH + 20, 8)]
    for layer, (drop, tone, opacity) in enumerate(
        ((34, "#5e8088", 90), (86, "#3f6670", 110), (150, "#274c58", 150))
    ):
        edge = [(x, y + drop + 13 * math.sin(x / 70 + layer * 2)) for x, y in surface]
        canvas.polygon([(-10, HEIGHT), *edge, (WIDTH + 10, HEIGHT)], (*mix(tone, tone, 0), opacity))
    for line in range(6):
        points = [(x, 730 + line * 34 + 7 * math.sin(x / 60 + line * 2.1)) for x in range(-10, WIDTH + 20, 8)]
        canvas.line(points, (226, 216, 190, 26), 2)
    notes = [(150, 3.5), (262, 2.5), (372, 3), (470, 1.5), (600, 1), (688, 2), (776, 0.5), (905, 0), (1010, 1.5), (1098, 2.5),
             (1228, 1), (1330, 2), (1430, 3.5)]  # fmt: skip
    heads = [(x, base + wave(x, line, shift)) for x, line in notes]
    for x, y in heads:
        head = Image.new("L", (120, 120))
        ImageDraw.Draw(head).ellipse((22, 34, 98, 86), fill=255)
        canvas.image.paste(
            "#26303e",
            (round(x * SCALE) - 60, round(y * SCALE) - 60),
            head.rotate(22, Image.Resampling.BICUBIC),
        )
        canvas.line([(x + 17, y - 5), (x + 17, y - 112)], "#26303e", 4)
    for first, second in ((1, 2), (5, 6), (8, 9), (11, 12)):
        (x, y), (further, other) = heads[first], heads[second]
        canvas.polygon(
            [(x + 15, y - 118), (further + 19, other - 118), (further + 19, other - 100), (x + 15, y - 100)],
            "#26303e",
        )
    for n in (0, 4, 7):
        x, y = heads[n]
        canvas.line([(x + 17, y - 112), (x + 40, y - 84), (x + 46, y - 56), (x + 36, y - 38)], "#26303e", 5)
    canvas.disc(1330, 150, 70, "#c96f4a")
    canvas.glow(1330, 150, 240, "#e9a578", 0.5)
    for x, y in ((980, 130), (1052, 96), (1110, 150)):
        canvas.arc((x - 26, y, x, y + 18), 190, 350, "#4a4a52", 3)
        canvas.arc((x, y, x + 26, y + 18), 190, 350, "#4a4a52", 3)


@drawing
def chessboard(canvas: Canvas, random: Random) -> None:
    """A chessboard in the evening sun, with the long shadows of the last few pieces."""
    canvas.shade("#38464a", "#5f6a62", "#a99a78", "#d9bd8a", bottom=330)
    for _ in range(46):
        x, y, size = random.uniform(0, WIDTH), random.uniform(-20, 290), random.uniform(18, 60)
        canvas.disc(x, y, size, (*mix("#e6c98a", "#55685a", random.random()), 46))
    canvas.soften(9)
    canvas.shade("#7d6243", "#4d3a28", "#33261b", top=322)

    def square(column: float, row: float) -> Point:
        """Return where a corner of the board stands: row 0 is far, row 8 near."""
        depth = 1 / (2.45 - row * 0.2)
        return 800 + (column - 4) * 470 * depth, 30 + 715 * depth + row * 17

    canvas.polygon(
        [square(-0.35, -0.4), square(8.35, -0.4), square(8.35, 8.3), square(-0.35, 8.3)], "#3f2a1c"
    )
    for row in range(8):
        for column in range(8):
            pale = (row + column) % 2 == 0
            tone = mix(
                "#e2cda0" if pale else "#7a5438", "#f6dfae" if pale else "#5a3b28", random.uniform(0, 0.5)
            )
            corners = [
                square(column, row),
                square(column + 1, row),
                square(column + 1, row + 1),
                square(column, row + 1),
            ]
            canvas.polygon(corners, tone)
    pieces = [(5.5, 0.5, "rook", "#2c2320"), (6.5, 2.5, "pawn", "#2c2320"), (3.5, 3.5, "king", "#2c2320"),
              (5.5, 4.5, "pawn", "#efdfc0"), (2.5, 4.5, "bishop", "#efdfc0"), (4.5, 5.5, "king", "#efdfc0")]  # fmt: skip
    for file, rank, *_ in pieces:
        x, y = square(file, rank)
        reach = 46 + rank * 16
        canvas.polygon([(x - reach * 0.35, y + 4), (x + reach * 0.2, y + 10), (x + reach * 4.2, y + reach * 0.95),
                        (x + reach * 4.5, y + reach * 0.72)], (34, 20, 10, 110))  # fmt: skip
    for file, rank, kind, colour in pieces:
        x, y = square(file, rank)
        _piece(canvas, kind, x, y, 0.62 + rank * 0.165, colour)
    canvas.glow(170, 250, 620, "#ffdf9c", 0.34)


def _piece(canvas: Canvas, kind: str, x: float, foot: float, size: float, colour: str) -> None:
    height = {"pawn": 92, "rook": 110, "bishop": 138, "king": 166}[kind] * size
    wide = 34 * size
    shadow = mix(colour, "#120a06", 0.45)
    for tone, cut in ((mix(colour, colour, 0), 1.0), ((*shadow, 150), 0.0)):
        left = -1 if cut else 0.12
        curve = [
            (wide * (0.27 + 0.45 * (1 - step / 12) ** 2.4), foot - height * 0.64 * step / 12)
            for step in range(13)
        ]
        canvas.polygon(
            [*((x + left * half, y) for half, y in curve), *((x + half, y) for half, y in reversed(curve))],
            tone,
        )
        canvas.box(
            (x + left * wide * 0.5, foot - height * 0.7, x + wide * 0.5, foot - height * 0.62), tone, 4 * size
        )
        canvas.box((x + left * wide, foot - 16 * size, x + wide, foot + 4 * size), tone, 6 * size)
        canvas.box(
            (x + left * wide * 0.8, foot - 27 * size, x + wide * 0.8, foot - 15 * size), tone, 5 * size
        )
    top = foot - height
    if kind == "pawn":
        canvas.disc(x, top + 24 * size, 22 * size, colour)
        canvas.disc(x + 7 * size, top + 26 * size, 13 * size, (*shadow, 60))
    elif kind == "rook":
        canvas.box((x - wide * 0.68, top + 10 * size, x + wide * 0.68, top + 36 * size), colour, 3 * size)
        for tooth in (-0.68, -0.16, 0.36):
            canvas.box((x + wide * tooth, top - 4 * size, x + wide * (tooth + 0.32), top + 14 * size), colour)
    elif kind == "bishop":
        canvas.ellipse((x - 21 * size, top + 4 * size, x + 21 * size, top + 52 * size), colour)
        canvas.disc(x, top, 6 * size, colour)
        canvas.line([(x + 2 * size, top + 26 * size), (x + 15 * size, top + 10 * size)], shadow, 3.5 * size)
    else:
        canvas.polygon([(x - wide * 0.42, top + 58 * size), (x - wide * 0.72, top + 22 * size), (x, top + 12 * size),
                        (x + wide * 0.72, top + 22 * size), (x + wide * 0.42, top + 58 * size)], colour)  # fmt: skip
        canvas.line([(x, top + 16 * size), (x, top - 16 * size)], colour, 7 * size)
        canvas.line([(x - 11 * size, top - 4 * size), (x + 11 * size, top - 4 * size)], colour, 7 * size)


@drawing
def lanterns(canvas: Canvas, random: Random) -> None:
    """A harbour town in the blue hour: gables, lit windows, paper lanterns on strings."""
    canvas.shade("#151c38", "#27325a", "#4f5077", "#a4727c", bottom=600)
    _stars(canvas, random, 130, 300)
    canvas.area(_ridge(random, 520, 34, 6), "#3a3d63", "#5a5275", bottom=620)
    for floor, low, high, walls in (
        (596, 110, 190, ["#34365a", "#3d3a5e", "#2f3153"]),
        (622, 130, 250, ["#4b3a4a", "#2f3a50", "#5a4048", "#3a3346", "#40485a"]),
    ):
        x = -30.0
        while x < WIDTH:
            width, height = random.uniform(74, 132), random.uniform(low, high)
            wall = random.choice(walls)
            canvas.box((x, floor - height, x + width, 640), wall)
            roof = mix(wall, "#0c0e1c", 0.5)
            gable = floor - height - width * random.uniform(0.32, 0.6)
            if random.random() < 0.7:
                canvas.polygon(
                    [
                        (x - 5, floor - height + 2),
                        (x + width / 2, gable),
                        (x + width + 5, floor - height + 2),
                    ],
                    roof,
                )
            else:
                steps = [(x, floor - height)]
                for step in range(4):
                    steps += [
                        (x + width * step / 8, floor - height - step * 17),
                        (x + width * step / 8, floor - height - (step + 1) * 17),
                    ]
                steps += [(2 * x + width - px, py) for px, py in reversed(steps)]
                canvas.polygon(steps, roof)
            columns, rows = int(width // 30), int(height // 42)
            for column in range(columns):
                for row in range(rows):
                    wx, wy = x + (column + 0.5) * width / columns - 7, floor - height + 14 + row * 40
                    lit = random.random() < 0.5
                    colour = (*mix("#f2b867", "#ffe6ae", random.random()), 235) if lit else (16, 18, 36, 150)
                    canvas.box((wx, wy, wx + 14, wy + 21), colour)
                    canvas.line([(wx + 7, wy), (wx + 7, wy + 21)], (30, 24, 36, 160), 1.2)
            x += width + random.choice([0, 0, 2])
    canvas.box((-10, 622, WIDTH + 10, 648), "#1b1a2c")
    canvas.mirror(648, 0.72)
    _ripples(canvas, random, 648, "#161a33", 420, 150)
    _ripples(canvas, random, 648, "#e9b67c", 120, 60)
    papers = ["#f3a95f", "#e9825a", "#f4cb7d", "#d9686a", "#f6dca4"]
    for left, right, sag, count, size in (
        (-40, 800, 270, 9, 22),
        (800, 1640, 250, 9, 22),
        (-80, 1680, 420, 11, 30),
    ):
        y = -8
        cord = [(left + (right - left) * n / 60, y + sag * (1 - (n / 30 - 1) ** 2)) for n in range(61)]
        canvas.line(cord, (10, 10, 20, 220), 2)
        for n in range(1, count + 1):
            x, top = cord[round(n * 60 / (count + 1))]
            tone = papers[n % len(papers)]
            canvas.glow(x, top + size * 1.5, size * 4.4, tone, 0.55)
            canvas.line([(x, top), (x, top + size * 0.5)], (10, 10, 20, 220), 1.6)
            canvas.ellipse((x - size, top + size * 0.5, x + size, top + size * 2.3), tone)
            canvas.ellipse(
                (x - size * 0.55, top + size * 0.8, x + size * 0.55, top + size * 2.1), (255, 244, 214, 150)
            )
            for rib in (0.9, 1.4, 1.9):
                half = size * math.sqrt(max(0, 1 - ((rib - 1.4) / 0.9) ** 2))
                canvas.line(
                    [(x - half, top + size * rib), (x + half, top + size * rib)], (120, 50, 30, 70), 1.4
                )
            canvas.box((x - size * 0.3, top + size * 0.4, x + size * 0.3, top + size * 0.56), "#2a1a20")


@drawing
def swimmers(canvas: Canvas, random: Random) -> None:
    """Three swimmers in a grey-green sea at first light, from above."""
    canvas.shade("#a9bdb4", "#7fa39f", "#5b8a8c", "#3f7078")
    for row in range(64):
        y = row * 15.0 - 10
        shift, tall = random.uniform(0, math.tau), random.uniform(2, 7)
        points = [
            (x, y + tall * math.sin(x / 88 + shift) + 2.5 * math.sin(x / 27 + shift * 3))
            for x in range(-10, WIDTH + 20, 10)
        ]
        canvas.line(
            points,
            (*random.choice([(228, 236, 224), (38, 84, 92), (190, 214, 204)]), random.randint(20, 64)),
            random.uniform(1.5, 6),
        )
    for _ in range(500):
        x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
        canvas.line(
            [(x, y), (x + random.uniform(8, 40), y + random.uniform(-2, 2))],
            (244, 240, 222, random.randint(20, 90)),
            1.6,
        )
    for x, y, cap, size in (
        (420, 330, "#c4553f", 1.0),
        (800, 500, "#e8c15a", 1.25),
        (1210, 390, "#f0e7d8", 1.05),
    ):
        for ring in range(1, 6):
            box = (x - 60 * ring * size, y - 21 * ring * size, x + 60 * ring * size, y + 23 * ring * size)
            canvas.arc(box, 12, 150, (238, 242, 230, 130 - ring * 20), 3)
            canvas.arc(box, 200, 340, (238, 242, 230, 90 - ring * 14), 2.4)
        for n in range(26):
            canvas.disc(x - (64 + n * 7) * size, y + random.gauss(2, 7 + n * 0.3) * size, random.uniform(1.6, 5) * size,
                        (246, 248, 240, max(20, 180 - n * 6)))  # fmt: skip
        canvas.ellipse((x - 78 * size, y - 15 * size, x + 18 * size, y + 19 * size), (30, 60, 70, 130))
        canvas.ellipse((x - 66 * size, y - 12 * size, x + 8 * size, y + 13 * size), "#33424c")
        canvas.line(
            [(x - 4 * size, y - 8 * size), (x + 28 * size, y - 44 * size), (x + 66 * size, y - 30 * size)],
            "#d9a582",
            10 * size,
        )
        canvas.disc(x + 66 * size, y - 30 * size, 6 * size, "#d9a582")
        canvas.disc(x + 20 * size, y + 1 * size, 18 * size, "#d9a582")
        canvas.disc(x + 16 * size, y - 4 * size, 18 * size, cap)
        canvas.disc(x + 10 * size, y - 10 * size, 6 * size, (255, 255, 255, 70))
