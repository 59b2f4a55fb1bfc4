"""The parts of Newsite's addresses. Values reach the views as strings."""

from django.urls.converters import StringConverter, register_converter

from newsite import slugs


class YearConverter(StringConverter):
    regex = "[12][0-9]{3}"


class MonthConverter(StringConverter):
    regex = "0[1-9]|1[0-2]"


class SlugConverter(StringConverter):
    """A slug in any script, whichever way its signs are spelled."""

    def to_python(self, value):
        slug = slugs.normal(value)
        if not slugs.is_slug(slug):
            raise ValueError(value)
        return slug


register_converter(YearConverter, "yyyy")
register_converter(MonthConverter, "mm")
register_converter(SlugConverter, "words")
