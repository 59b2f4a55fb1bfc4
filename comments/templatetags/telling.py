from django import template

from comments import telling

register = template.Library()

register.filter(telling.told)
register.filter(telling.done)
register.filter(telling.ago)
