from django import template

from articles.models import Section

register = template.Library()


@register.simple_tag
def sections() -> list[Section]:
    """All sections in the order of the navigation, in one query."""
    return list(Section.objects.all())
