"""The parts of Newsite's addresses. Values reach the views as the strings they are."""

from django.urls.converters import StringConverter, register_converter


class YearConverter(StringConverter):
    regex = "[12][0-9]{3}"


class MonthConverter(StringConverter):
    regex = "0[1-9]|1[0-2]"


class UnicodeSlugConverter(StringConverter):
    """A slug in any script, as `SlugField(allow_unicode=True)` takes it."""

    regex = r"[-\w]+"


register_converter(YearConverter, "yyyy")
register_converter(MonthConverter, "mm")
register_converter(UnicodeSlugConverter, "words")
