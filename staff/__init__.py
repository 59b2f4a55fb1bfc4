"""How those who write and moderate get in: sign-in, second factor, and the sessions they have open.

“Staff” is Django's word for accounts that may use the admin. Readers need no account; who
has one signs in at /sign-in/.
"""
