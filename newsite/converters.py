"""The parts of Newsite's addresses. Values reach the views as strings, but for ids."""

from django.urls.converters import IntConverter, StringConverter, register_converter

from newsite import lookups, slugs


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


class IdConverter(IntConverter):
    """The number of a row, of no more digits than every database holds."""

    regex = lookups.ID


register_converter(IdConverter, "id")
register_converter(YearConverter, "yyyy")
register_converter(MonthConverter, "mm")
register_converter(SlugConverter, "words")
