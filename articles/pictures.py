"""What readers get of an uploaded picture: the picture, and nothing that was written beside it.

Cameras and phones write down where and when a picture was taken, with what and by whom, and
programs keep a small picture of what was cut off. All that goes, while what is needed to show the
picture stays: its turning, its colours, its movement. Pixels are not touched, so nothing is lost,
but for turned WebP, which some browsers would leave lying on its side.
"""

import mimetypes
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import PurePath
from typing import NamedTuple
from unicodedata import normalize

from django.core.files.base import ContentFile, File
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from newsite.not_now import is_not_now

ORIENTATION = 0x0112  # in EXIF
TURNED = range(5, 9)  # what the camera held upright lies on its side in the file

# A camera's picture has up to 50 million pixels. A browser needs four bytes for each.
MOST_PIXELS = 50_000_000
MOST_BYTES = 20_000_000

# What an ending may be that gives way to the right one.
PICTURE_ENDING = re.compile(r"\.(apng|avif|bmp|gif|heic|heif|jfif|jpe|jpe?g|png|tiff?|webp)$", re.IGNORECASE)


class UnknownKind(Exception):
    """It is no picture, or one that not every browser shows."""


class TooManyPixels(Exception):
    """It would take the memory of a browser, and of whatever looks at it here."""


class TooManyBytes(Exception):
    """It would take too long to load."""


class Broken(Exception):
    """A part of it is missing, or cannot be read."""


class Kind(NamedTuple):
    endings: tuple[str, ...]
    strip: Callable[[bytes, int], bytes]


def check(file: File) -> None:
    """Raise what is wrong with a picture, and read its pixels only when they are not too many."""
    if file.size > MOST_BYTES:
        raise TooManyBytes
    file.seek(0)
    with _open(file) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise TooManyPixels
        # A JPEG is read whole, and kept small: what is looked for is its end.
        picture.draft(None, (1, 1))
        try:
            picture.load()
        except (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error) as error:
            if is_not_now(error):
                raise
            raise Broken from error


def for_readers(file: File) -> ContentFile:
    """Return a picture without what was written beside it, under a name that tells its kind."""
    file.seek(0)
    content = file.read()
    with _open(BytesIO(content)) as picture:
        kind, orientation = KINDS[picture.format or ""], _orientation(picture)
        if picture.format == "WEBP" and orientation != 1:
            content = _turned_webp(picture, content)
    try:
        stripped = kind.strip(content, orientation)
    except (IndexError, struct.error) as error:
        raise UnknownKind from error
    return ContentFile(stripped, _name(file.name or "", kind))


def size_as_shown(file: File) -> tuple[int, int] | tuple[None, None]:
    """Return width and height as browsers show the picture, or twice None for what is no picture."""
    file.seek(0)
    try:
        with _open(file) as picture:
            width, height = picture.size
            is_turned = picture.format != "WEBP" and _orientation(picture) in TURNED
            return (height, width) if is_turned else (width, height)
    except (UnknownKind, TooManyPixels):
        return None, None


def says_otherwise(name: str) -> bool:
    """Say whether a file's name tells that it is no picture, whatever is in it."""
    kind, _encoding = mimetypes.guess_type(name)
    return kind is not None and not kind.startswith("image/")


def _open(file) -> Pillow.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            return Pillow.open(file, formats=["AVIF", "GIF", "JPEG", "PNG", "WEBP"])
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except (UnidentifiedImageError, OSError, RuntimeError, SyntaxError, ValueError) as error:
        if is_not_now(error):  # the file's place has failed, not the file
            raise
        raise UnknownKind from error


def _orientation(picture: Pillow.Image) -> int:
    """Return how the picture is turned and mirrored, as EXIF counts it: 1 for not at all."""
    exif = Pillow.Exif()
    try:
        with warnings.catch_warnings(action="ignore"):
            exif.load(picture.info.get("exif", b""))
            orientation = exif.get(ORIENTATION)
    except (SyntaxError, ValueError, struct.error):
        return 1
    return orientation if isinstance(orientation, int) and orientation in range(1, 9) else 1


def _name(name: str, kind: Kind) -> str:
    path = PurePath(normalize("NFC", name)).name
    ending = f".{kind.endings[0]}"
    if found := PICTURE_ENDING.search(path):
        path = path[: found.start()]
        if found[1].lower() in kind.endings:
            ending = found[0]
    stem = re.sub(r"[^-\w.]", "", path.replace(" ", "_")).strip(".")
    return f"{stem or 'picture'}{ending}"


def _exif(orientation: int) -> bytes:
    """Return EXIF that tells how the picture is turned, and no more."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)


# --- JPEG ---

SCAN, END, REMARK = 0xDA, 0xD9, 0xFE
APPLICATIONS = range(0xE0, 0xF0)
JFIF, EXIF = 0xE0, 0xE1
# How colours are meant: what Adobe says of them tells their number apart.
JPEG_KEPT = {JFIF: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
MARKER_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _strip_jpeg(content: bytes, orientation: int) -> bytes:
    kept = [b"\xff\xd8"]
    if orientation != 1:
        kept.append(_jpeg_segment(EXIF, b"Exif\0\0" + _exif(orientation)))
    at = 2
    # What stands behind the end goes too: phones put a second picture or a film there.
    while at + 1 < len(content) and content[at : at + 2] != bytes([0xFF, END]):
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xFF or marker in WITHOUT_LENGTH:
            at += 2 if content[at] == 0xFF and marker != 0xFF else 1
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        kept += _kept_of_jpeg(marker, content[at + 4 : end])
        if marker == SCAN:
            behind = MARKER_BEHIND_SCAN.search(content, end)
            kept.append(content[end : behind.start() if behind else None])
            end = behind.start() if behind else len(content)
        at = end
    return b"".join([*kept, bytes([0xFF, END])])


def _kept_of_jpeg(marker: int, payload: bytes) -> list[bytes]:
    if marker == REMARK or (marker in APPLICATIONS and not payload.startswith(JPEG_KEPT.get(marker, ()))):
        return []
    if marker == JFIF:
        # Behind its measures may stand a small picture of what the large one was.
        payload = payload[:12] + b"\0\0"
    return [_jpeg_segment(marker, payload)]


def _jpeg_segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


# --- PNG ---

PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"bKGD", b"cHRM", b"cICP", b"cLLI",
    b"gAMA", b"hIST", b"iCCP", b"mDCV", b"pHYs", b"sBIT", b"sPLT", b"sRGB", b"tRNS",
}  # fmt: skip


def _strip_png(content: bytes, orientation: int) -> bytes:
    kept, at, name = [content[:8]], 8, b""
    while at + 8 <= len(content) and name != b"IEND":
        name = content[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(content[at : at + 4])
        if name in PNG_KEPT:
            kept.append(content[at:end])
        if name == b"IHDR" and orientation != 1:
            kept.append(_png_chunk(b"eXIf", _exif(orientation)))
        at = end
    return b"".join(kept)


def _png_chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


# --- WebP ---

WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
HAS_EXIF, HAS_XMP = 0x08, 0x04
# Lost once more, so that nobody sees it.
WEBP_QUALITY = 95


def _turned_webp(picture: Pillow.Image, content: bytes) -> bytes:
    """Return a still picture upright. A moving one stays as it is."""
    if getattr(picture, "is_animated", False):
        return content
    file = BytesIO()
    try:
        upright = ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnknownKind from error
    is_lossless = any(name == b"VP8L" for name, _payload in _webp_chunks(content))
    profile = picture.info.get("icc_profile")
    upright.save(file, "WEBP", lossless=is_lossless, quality=WEBP_QUALITY, icc_profile=profile)
    return file.getvalue()


def _strip_webp(content: bytes, orientation: int) -> bytes:
    kept = []
    for name, payload in _webp_chunks(content):
        if name == b"VP8X":
            payload = bytes([payload[0] & ~(HAS_EXIF | HAS_XMP)]) + payload[1:]
        if name in WEBP_KEPT:
            kept.append(_webp_chunk(name, payload))
    body = b"WEBP" + b"".join(kept)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _webp_chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack("<4sI", name, len(payload)) + payload + b"\0" * (len(payload) % 2)


# --- GIF ---

GIF_PICTURE, GIF_EXTENSION = 0x2C, 0x21
GIF_CONTROL, GIF_APPLICATION = 0xF9, 0xFF
GIF_APPLICATIONS_KEPT = {b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"}


def _strip_gif(content: bytes, orientation: int) -> bytes:
    at = 13 + _gif_colours(content[10])
    kept = [content[:at]]
    while at < len(content) and content[at] in {GIF_PICTURE, GIF_EXTENSION}:
        is_picture, label = content[at] == GIF_PICTURE, content[at + 1]
        head = at + (11 + _gif_colours(content[at + 9]) if is_picture else 2)
        end = _gif_behind_blocks(content, head)
        application = content[at + 3 : at + 14] if label == GIF_APPLICATION else None
        if is_picture or label == GIF_CONTROL or application in GIF_APPLICATIONS_KEPT:
            kept.append(content[at:end])
        at = end
    return b"".join(kept) + b";"


def _gif_colours(flags: int) -> int:
    """Return the length of the table of colours that the flags tell of."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_behind_blocks(content: bytes, at: int) -> int:
    while at < len(content) and content[at]:
        at += content[at] + 1
    return at + 1


# --- AVIF ---

# Nothing is cut out, since all that follows is found by where it stands: it is written over.
NO_EXIF = bytes(4) + struct.pack(">2sHIHI", b"MM", 42, 8, 0, 0)


class Box(NamedTuple):
    name: bytes
    name_at: int
    start: int
    end: int


def _strip_avif(content: bytes, orientation: int) -> bytes:
    blanked = bytearray(content)
    for box in _boxes(content, 0, len(content)):
        if box.name == b"meta":
            _blank_items(blanked, box)
        elif box.name in {b"free", b"skip", b"uuid"}:
            _blank(blanked, box)
        elif box.name == b"moov":
            _blank_notes(blanked, box)
    return bytes(blanked)


def _boxes(content: bytes | bytearray, at: int, end: int) -> Iterator[Box]:
    while at + 8 <= end:
        length, name = struct.unpack_from(">I4s", content, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", content, start)
            start += 8
        box_end = min(at + length, end) if length else end
        if box_end < start:
            raise UnknownKind
        yield Box(name, at + 4, start, box_end)
        at = box_end


def _blank(content: bytearray, box: Box) -> None:
    content[box.name_at : box.name_at + 4] = b"free"
    content[box.start : box.end] = bytes(box.end - box.start)


def _blank_notes(content: bytearray, around: Box) -> None:
    """Blank what a moving picture says of itself and of its tracks."""
    for box in _boxes(content, around.start, around.end):
        if box.name in {b"udta", b"meta", b"uuid", b"free", b"skip"}:
            _blank(content, box)
        elif box.name == b"trak":
            _blank_notes(content, box)


def _blank_items(content: bytearray, meta: Box) -> None:
    """Blank the EXIF and the XMP of a picture, which are items beside its own."""
    parts = {box.name: box for box in _boxes(content, meta.start + 4, meta.end)}
    if not {b"iinf", b"iloc"} <= parts.keys():
        raise UnknownKind
    items = _items(content, parts[b"iinf"])
    for item, start, length in _places(content, parts[b"iloc"], parts.get(b"idat")):
        if items.get(item) in {b"Exif", b"mime", b"uri "}:
            filling = NO_EXIF if items[item] == b"Exif" and length >= len(NO_EXIF) else b""
            content[start : start + length] = filling.ljust(length, b"\0")


def _items(content: bytearray, iinf: Box) -> dict[int, bytes]:
    """Return of which kind each item is."""
    kinds = {}
    count = 2 if content[iinf.start] == 0 else 4
    for box in _boxes(content, iinf.start + 4 + count, iinf.end):
        number, kind = struct.unpack_from(
            ">H2x4s" if content[box.start] < 3 else ">I2x4s", content, box.start + 4
        )
        kinds[number] = kind
    return kinds


def _places(content: bytearray, iloc: Box, idat: Box | None) -> Iterator[tuple[int, int, int]]:
    """Yield for each piece of each item its number, where it starts and how long it is."""
    version = content[iloc.start]
    sizes = content[iloc.start + 4], content[iloc.start + 5]
    of_offset, of_length, of_base = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    of_index = sizes[1] & 15 if version else 0
    at = iloc.start + 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(content[at - size : at])

    for _item in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        inside = number(2) & 15 if version else 0
        number(2)  # in which file: this one
        base = number(of_base) + (idat.start if inside == 1 and idat else 0)
        for _piece in range(number(2)):
            number(of_index)
            start = base + number(of_offset)
            yield item, start, max(0, min(number(of_length), len(content) - start))


KINDS = {
    "AVIF": Kind(("avif",), _strip_avif),
    "GIF": Kind(("gif",), _strip_gif),
    "JPEG": Kind(("jpg", "jpeg"), _strip_jpeg),
    # What phones write: a JPEG with others behind it.
    "MPO": Kind(("jpg", "jpeg"), _strip_jpeg),
    "PNG": Kind(("png",), _strip_png),
    "WEBP": Kind(("webp",), _strip_webp),
}

MEDIA_TYPES = ["image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"]
