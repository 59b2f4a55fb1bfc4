"""What of an uploaded picture is public."""

from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageOps, ImageStat, PngImagePlugin, features

from articles import pictures
from articles.models import Image
from tests.factories import make_image

SECRET = b"Ada Byron at 52.5N 13.4E"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KINDS = ["JPEG", "PNG", "WEBP", "AVIF"]


def exif(orientation: int = 1) -> bytes:
    """What a phone writes beside a picture."""
    exif = Pillow.Exif()
    exif[pictures.ORIENTATION] = orientation
    exif[0x010F] = SECRET.decode()  # the maker
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    return exif.tobytes()


def drawn(size=(90, 60)) -> Pillow.Image:
    picture = Pillow.effect_mandelbrot(size, (-2.0, -1.5, 1.0, 1.5), 40).convert("RGB")
    picture.putpixel((0, 0), (255, 0, 0))
    return picture


def photograph(kind: str, orientation: int = 1, **options) -> bytes:
    file = BytesIO()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET.decode())
    texts.add_text("Author", SECRET.decode(), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    beside = {
        "JPEG": {"xmp": XMP, "comment": SECRET, "quality": 95},
        "PNG": {"pnginfo": texts},
        "WEBP": {"xmp": XMP, "lossless": True},
        "AVIF": {"xmp": XMP, "quality": 90},
    }
    drawn().save(file, kind, exif=exif(orientation), icc_profile=PROFILE, **beside[kind], **options)
    return file.getvalue()


def public(content: bytes, name: str = "picture.jpg") -> bytes:
    return pictures.for_readers(ContentFile(content, name)).read()


def pixels(content: bytes) -> list[bytes]:
    with Pillow.open(BytesIO(content)) as picture:
        frames = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(picture.convert("RGBA").tobytes())
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_place_and_camera_and_names_are_taken_out_and_not_a_pixel_changes(kind):
    content = photograph(kind)

    stripped = public(content)

    with Pillow.open(BytesIO(stripped)) as picture:
        assert (dict(picture.getexif()), dict(picture.getexif().get_ifd(0x8825))) == ({}, {})
        assert picture.info.get("icc_profile") == PROFILE
        assert (picture.format, picture.size) == (kind, (90, 60))
        assert {"comment", "xmp", "Comment", "Author"} & {*picture.info} <= {"xmp"}
        assert picture.info.get("xmp", b"").strip(b"\0") == b""
    assert SECRET not in stripped
    assert pixels(stripped) == pixels(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_stays_turned_and_is_measured_as_it_is_shown(kind, orientation):
    stripped = public(photograph(kind, orientation))

    with Pillow.open(BytesIO(stripped)) as picture:
        assert picture.getexif().get(pictures.ORIENTATION, 1) == orientation
        assert 0x8825 not in picture.getexif()
    shown = (60, 90) if orientation >= 5 else (90, 60)
    assert pictures.size_as_shown(ContentFile(stripped)) == shown
    assert SECRET not in stripped


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_webp_is_turned_itself_since_some_browsers_leave_it_lying(orientation):
    content = photograph("WEBP", orientation)

    stripped = public(content)

    with Pillow.open(BytesIO(content)) as before, Pillow.open(BytesIO(stripped)) as after:
        assert after.tobytes() == ImageOps.exif_transpose(before).tobytes()
        assert (dict(after.getexif()), after.info["icc_profile"]) == ({}, PROFILE)
        assert pictures.size_as_shown(ContentFile(stripped)) == after.size


def test_a_webp_that_has_lost_something_is_turned_without_losing_what_one_sees():
    file = BytesIO()
    drawn((600, 400)).save(file, "WEBP", quality=80, exif=exif(3))

    stripped = public(file.getvalue())

    with Pillow.open(file) as before, Pillow.open(BytesIO(stripped)) as after:
        difference = ImageStat.Stat(ImageChops.difference(before.rotate(180), after)).mean
    assert max(difference) < 2
    assert len(stripped) < 3 * len(file.getvalue())


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_a_moving_picture_goes_on_moving(kind):
    frames = [drawn(), drawn().rotate(180), drawn().rotate(90)]
    file = BytesIO()
    more = {"GIF": {"comment": SECRET}}.get(kind, {"exif": exif(6 if kind == "WEBP" else 1)})
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=200, loop=3, **more)

    stripped = public(file.getvalue())

    with Pillow.open(BytesIO(stripped)) as picture:
        assert (picture.n_frames, picture.info.get("loop", 3)) == (3, 3)
        picture.seek(1)
        picture.load()
        assert picture.info.get("duration") == 200
    assert pixels(stripped) == pixels(file.getvalue())
    assert SECRET not in stripped


def test_a_progressive_picture_in_cmyk_keeps_its_colours():
    file = BytesIO()
    drawn().convert("CMYK").save(file, "JPEG", progressive=True, exif=exif())

    assert pixels(public(file.getvalue())) == pixels(file.getvalue())


def test_what_a_phone_puts_behind_a_picture_goes():
    second = photograph("JPEG")
    behind = [photograph("JPEG") + b"....ftypmp4" + SECRET, photograph("JPEG") + second]
    file = BytesIO()
    drawn().save(file, "MPO", save_all=True, append_images=[drawn()], exif=exif())

    assert [SECRET in public(content) for content in [*behind, file.getvalue()]] == [False] * 3
    assert pixels(public(file.getvalue())) == pixels(file.getvalue())[:1]


def test_a_small_picture_of_what_was_cut_off_goes():
    content = photograph("JPEG")
    header = b"\xff\xe0" + (16 + 27).to_bytes(2) + b"JFIF\0\1\2\0\0\1\0\1\3\3" + SECRET.ljust(27, b".")
    with_small_one = content[:2] + header + content[2:]

    assert SECRET not in public(with_small_one)
    assert pixels(public(with_small_one)) == pixels(content)


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
def test_a_picture_that_was_cleaned_is_left_alone(kind):
    file = BytesIO()
    drawn().save(file, kind)
    once = public(photograph(kind, 6) if kind in KINDS else file.getvalue())

    assert public(once) == once


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
@given(data=st.data())
def test_a_picture_that_is_cut_off_or_damaged_is_taken_or_refused(kind, data):
    file = BytesIO()
    drawn((30, 20)).save(file, kind, **({} if kind == "GIF" else {"exif": exif(6)}))
    content = bytearray(file.getvalue())
    for _change in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]

    try:
        stripped = public(bytes(content))
    except (pictures.UnknownKind, pictures.TooManyPixels):
        return
    assert len(stripped) <= len(content) + 60


@pytest.mark.parametrize(
    ("name", "kind", "public_name"),
    [
        ("bridge.jpg", "JPEG", "bridge.jpg"),
        ("bridge.JPEG", "JPEG", "bridge.JPEG"),
        ("bridge.jfif", "JPEG", "bridge.jpg"),
        ("bridge", "JPEG", "bridge.jpg"),
        ("bridge.bmp", "JPEG", "bridge.jpg"),
        ("bridge.jpg", "PNG", "bridge.png"),
        ("the.old bridge", "WEBP", "the.old_bridge.webp"),
        ("😀.jpg", "JPEG", "picture.jpg"),
        ("%.jpg", "JPEG", "picture.jpg"),
        ("¡¡¡.jpg", "JPEG", "picture.jpg"),
        (".jpg", "JPEG", "picture.jpg"),
        ("...", "PNG", "picture.png"),
        ("😀 bridge.jpg", "JPEG", "_bridge.jpg"),
        ("bru\u0308cke.avif", "AVIF", "brücke.avif"),
        ("東京.png", "PNG", "東京.png"),
    ],
)
def test_a_file_has_a_name_and_the_ending_of_what_it_is(name, kind, public_name):
    assert pictures.for_readers(ContentFile(photograph(kind), name)).name == public_name


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["😀.jpg", "%.jpg", "x" * 300, "日" * 90 + ".jpg"])
def test_every_file_is_stored_under_a_name_that_browsers_and_people_can_use(name):
    files = [make_image(file=ContentFile(photograph("JPEG"), name)).file.name for _time in range(2)]

    assert [Path(file).suffix for file in files] == [".jpg", ".jpg"]
    assert [Path(file).name.startswith(".") for file in files] == [False, False]
    assert len(set(files)) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_no_form_has_seen_is_cleaned_and_measured_too(kind):
    image = make_image(file=ContentFile(photograph(kind, 6), "bridge.jpg"))

    assert (image.width, image.height) == (60, 90)
    assert SECRET not in Path(image.file.path).read_bytes()
    stored = Image.objects.get()
    stored.caption = "Saved again"
    stored.save()
    assert Image.objects.values_list("width", "height", "file").get() == (60, 90, image.file.name)


@pytest.mark.django_db
def test_pictures_of_before_are_cleaned_where_they_are_and_measured_as_shown():
    image, other, lost = make_image(), make_image(), make_image()
    Path(image.file.path).write_bytes(photograph("JPEG", 6))
    Image.objects.filter(pk=image.pk).update(width=90, height=60)
    Path(lost.file.path).unlink()
    mode = Path(image.file.path).stat().st_mode
    outcomes = []

    for _time in range(2):
        out, errors = StringIO(), StringIO()
        call_command("clean_pictures", stdout=out, stderr=errors)
        outcomes.append(out.getvalue().strip())

    image.refresh_from_db()
    assert outcomes == ["Pictures cleaned or measured anew: 1", "Pictures cleaned or measured anew: 0"]
    assert errors.getvalue().strip() == f"{lost.file.name}: no picture can be read there. It stays as it is."
    assert (image.width, image.height, Path(image.file.path).stat().st_mode) == (60, 90, mode)
    assert SECRET not in Path(image.file.path).read_bytes()
    assert Path(other.file.path).parent == Path(image.file.path).parent
    assert [path.name for path in Path(image.file.path).parent.glob(".*")] == []


def test_this_machine_can_write_the_kinds_that_are_tested():
    assert [features.check(name) for name in ("webp", "avif", "jpg")] == [True] * 3
