from django import template
from django.core.paginator import InvalidPage
from django.http import Http404

from articles.models import Article
from comments import threads
from comments.forms import CommentForm, reply_url
from comments.models import Comment

register = template.Library()


@register.inclusion_tag("comments/_discussion.html", takes_context=True)
def discussion(context, article: Article) -> dict:
    """Show the page of a story's conversation that `?page=` asks for, and the form below it.

    A view that has a form to show again puts it into the context as `reply_form`; the
    page is then the one with the comment that it answers.
    """
    form = context.get("reply_form") or CommentForm(article=article)
    number = context["request"].GET.get("page", 1)
    if form.answered:
        number = threads.page_number(form.answered)
    try:
        thread = threads.thread(article, number)
    except InvalidPage as error:
        raise Http404(str(error)) from error
    return {
        "article": article,
        "thread": thread,
        "page": thread.page,
        "reply_form": form,
        "reply_url": reply_url(article),
    }


@register.simple_tag
def comments_waiting() -> int:
    return Comment.objects.held().count()
