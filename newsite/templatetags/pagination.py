from django import template
from django.core.paginator import Page

register = template.Library()


@register.inclusion_tag("_pagination.html")
def pagination(page: Page, label: str, address: str = "?", fragment: str = "") -> dict:
    """Links to the pages around this one and to the first and last, as real links.

    `label` names the list to a screen reader. `address` is what `page=2` is written
    behind, `fragment` ("#comments") is where on that page to arrive.
    """
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return {"page": page, "numbers": numbers, "label": label, "address": address, "fragment": fragment}
