"""The moderator's desk: the pages and buttons of the queue, all below the admin's address.

Every button is a plain form. A script sends the same forms to the same addresses and asks
for the piece of the page that has changed: it sets the header `X-Fragment`.
"""
