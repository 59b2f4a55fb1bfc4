from django import template
from django.core.paginator import InvalidPage
from django.http import Http404
from django.urls import reverse

from articles.models import Article
from comments import housekeeping, queue, rights, threads
from comments.forms import CommentForm, reply_url

register = template.Library()


@register.inclusion_tag("comments/_discussion.html", takes_context=True)
def discussion(context, article: Article) -> dict:
    """Show the page of a story's conversation that `?page=` and `?order=` ask for, and the form.

    A view that has a form to show again puts it into the context as `reply_form`; the
    page is then the one with the comment that it answers.
    """
    conversation = threads.opened(article)
    settings = conversation.settings
    form = context.get("reply_form") or CommentForm(article=article, settings=settings)
    asked = context["request"].GET
    number, order_name = asked.get("page"), asked.get("order", settings.order)
    if order_name not in threads.Order.values:
        raise Http404(f"There is no such order: {order_name}")
    order = threads.Order(order_name)
    if form.answered:
        number, order = threads.page_number(form.answered, settings), threads.Order.OLDEST
    try:
        thread = conversation.page(number, order)
    except InvalidPage as error:
        raise Http404(str(error)) from error
    story = article.get_absolute_url()
    beginnings = {
        value: story if value == settings.order else f"{story}?order={value}" for value in threads.Order
    }
    return {
        "article": article,
        "settings": settings,
        "thread": thread,
        "orders": [(value.label, beginnings[value], value == order) for value in threads.Order],
        "pages_address": beginnings[order] + ("&" if "?" in beginnings[order] else "?"),
        "replies_url": reverse("comments:replies", args=str(article.address).split("/")),
        "reply_form": form,
        "reply_url": reply_url(article),
    }


@register.simple_tag
def comments_waiting(user) -> str:
    """Return how many comments wait for someone who moderates, up to a limit. Empty for others."""
    if not rights.moderates(user):
        return ""
    return queue.counted(user, queue.Tab.HELD)


@register.simple_tag
def deletions_put_off():
    """Return when what is deleted, where an upgrade has brought that. None where nothing waits."""
    return housekeeping.put_off()
