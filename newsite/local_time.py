"""Times in forms, as the clocks of the site show them."""

import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone


class LocalTimeField(forms.SplitDateTimeField):
    """A date and a time that stay the moment they are until someone changes them.

    An hour that clocks show twice is the first of both, and one that they leave out is counted on
    from the hour before. Django refuses both, and with that every change of a story from then.
    """

    def _clean_bound_field(self, bf):
        if bf.initial is not None and not self.has_changed(bf.initial, bf.data):
            return bf.initial
        return super()._clean_bound_field(bf)

    def compress(self, data_list):
        try:
            return super().compress(data_list)
        except ValidationError as error:
            if error.code != "ambiguous_timezone" or not _can_be_stored(data_list[0]):
                raise
            return timezone.make_aware(datetime.datetime.combine(*data_list))


def _can_be_stored(day: datetime.date) -> bool:
    """Say whether the moment has a year in every time zone."""
    return datetime.MINYEAR < day.year < datetime.MAXYEAR
