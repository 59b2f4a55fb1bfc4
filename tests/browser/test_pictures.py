"""Pictures take the room on a page that they were measured for."""

import pytest
from django.core.files.base import ContentFile

from tests.articles.test_pictures import KINDS, photograph
from tests.factories import make_article, make_image


@pytest.mark.parametrize("kind", KINDS)
def test_the_browser_shows_a_turned_picture_as_it_was_measured(page, kind):
    image = make_image(file=ContentFile(photograph(kind, 6), "turned"))
    page.goto(make_article(lead_image=image).get_absolute_url())
    picture = page.get_by_role("img", name=image.alternative_text)
    picture.evaluate("(img) => img.decode()")

    shown = picture.evaluate("(img) => [img.naturalWidth, img.naturalHeight]")

    assert shown == [image.width, image.height] == [60, 90]
