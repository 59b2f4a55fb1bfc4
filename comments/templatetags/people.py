from django import template

from comments import people

register = template.Library()

register.filter(people.mark)
register.filter(people.initials)
register.filter(people.colour)
