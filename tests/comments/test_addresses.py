import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from comments import addresses

ADA = "ada@example.com"
MUNICH = "x@xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        (ADA, ADA),
        ("ADA@Example.COM", ADA),
        (" ada@example.com\u00a0", ADA),
        ("ada@ example. com", ADA),
        ("ada@example.com\u200b", ADA),
        ("\ufeffada@exa\u00admple.com\u200d", ADA),
        ("\u2068a\u200dda@example.com\u2069", ADA),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", ADA),
        ("ada@example。com", ADA),
        ("ada@example.com.", ADA),
        ('"ada"@example.com', ADA),
        ("\u212aay@example.com", "kay@example.com"),
        ("x@münchen.example", MUNICH),
        ("x@MU\u0308NCHEN.example", MUNICH),
        ("x@XN--MNCHEN-3YA.example", MUNICH),
        # The standard of today tells them apart, as the registries do.
        ("x@straße.example", "x@xn--strae-oqa.example"),
        ("x@strasse.example", "x@strasse.example"),
        ("x@نامه\u200cای.example", "x@xn--mgba3gch31f060k.example"),
        # It knows no pictures, and there are such domains.
        ("x@💩.example", "x@xn--ls8h.example"),
        ("@münchen.example", "@xn--mnchen-3ya.example"),
        ("ada+news@example.com", "ada+news@example.com"),
        ("", ""),
        ("nobody", "nobody"),
        ("a da@example.com", "a da@example.com"),
        ("x@" + "ü" * 80 + ".example", "x@" + "ü" * 80 + ".example"),
    ],
)
def test_a_mailbox_has_one_spelling(typed, mailbox):
    assert (addresses.mailbox(typed), addresses.mailbox(mailbox)) == (mailbox, mailbox)


@pytest.mark.parametrize("typed", ["x@münchen.example", "x@straße.example", "ada+news@example.com"])
def test_mails_are_sent_to_a_mailbox_as_it_is_spelled(typed, mailoutbox):
    mailbox = addresses.mailbox(typed)

    mail.EmailMessage("Hello", "You.", to=[mailbox]).send()

    assert mailoutbox[0].message()["To"] == mailbox


@pytest.mark.parametrize(
    ("email", "readable"),
    [
        (MUNICH, "x@münchen.example"),
        ("x@xn--strae-oqa.example", "x@straße.example"),
        ("x@xn--nonsense-.example", "x@xn--nonsense-.example"),
        (ADA, ADA),
    ],
)
def test_a_mailbox_is_shown_as_people_know_it(email, readable):
    assert addresses.readable(email) == readable


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("jörg@example.com", "“ö” before the @"),
        ("üserü@example.com", "“ü” before the @"),
        ("用户@example.com", "“用户” before the @"),
        ('"a b"@example.com', "quotation marks"),
        ('"a@b"@example.com', "quotation marks"),
        ("a da@example.com", "valid email"),
        ("ada@example", "valid email"),
        ("ada@", "valid email"),
        ("ö@", "valid email"),
        ("@example.com", "valid email"),
        ("a@b@example.com", "valid email"),
    ],
)
def test_what_no_mail_would_reach_is_refused_with_its_reason(email, said):
    with pytest.raises(ValidationError, match=said):
        addresses.validate_mailbox(addresses.mailbox(email))
