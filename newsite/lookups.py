"""Numbers that no row can have find none, whoever sends them.

Django knows that of `=`, `<` and `>`. Where a number is one of several, or that of a row in
another table, SQLite would fail on one of more than 63 bits.
"""

from django.core.exceptions import EmptyResultSet
from django.db.models import ForeignKey, IntegerField
from django.db.models import lookups as djangos
from django.db.models.fields import related_lookups

# What a column of the largest size holds, in every database.
LARGEST = 2**63 - 1
# What an id looks like where it is a text: none of a site's rows will ever have more digits.
ID = "[0-9]{1,18}"


def is_held(value) -> bool:
    """Say whether a column can hold a number. Python reads none of thousands of digits."""
    if isinstance(value, str) and value.isdecimal():
        return len(value) <= len(str(LARGEST)) and is_held(int(value))
    return not isinstance(value, int) or -LARGEST <= value <= LARGEST


def is_number(value) -> bool:
    """Say whether a value can be looked for among numbers, as a text that says one can."""
    if isinstance(value, str):
        try:
            int(value)
        except ValueError:
            return False
    return True


class Several:
    """A choice of several numbers, of which those count that a column holds.

    A form that is shown again looks for whatever was sent as a row, be it no number at all.
    """

    def get_prep_lookup(self):
        if self.rhs_is_direct_value():
            self.rhs = [value for value in self.rhs if is_number(value) and is_held(value)]
        return super().get_prep_lookup()


@IntegerField.register_lookup
class In(Several, djangos.In):
    pass


@ForeignKey.register_lookup
class RelatedIn(Several, related_lookups.RelatedIn):
    pass


@ForeignKey.register_lookup
class RelatedExact(related_lookups.RelatedExact):
    def process_rhs(self, compiler, connection):
        if self.rhs_is_direct_value() and not is_held(self.rhs):
            raise EmptyResultSet
        return super().process_rhs(compiler, connection)
