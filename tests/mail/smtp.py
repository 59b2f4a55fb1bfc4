"""A real mail server for the tests, which can misbehave in the ways that servers do."""

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Postbox:
    """Keeps the mails that the server has accepted, and says what it answers to the next."""

    def __init__(self):
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        # One of: "250 OK", another answer to MAIL, RCPT or DATA, "hang", "die", "die once".
        self.at_mail = "250 OK"
        self.at_rcpt = "250 OK"
        self.at_data = "250 OK"
        # How often a client has begun to send a mail's text.
        self.begun = 0
        self.pause = 0.0
        # How many clients said hello, and how many goodbye.
        self.connected = self.ended = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.at_mail.startswith("250"):
            envelope.mail_from = address
        return self.at_mail

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.at_rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.at_rcpt

    async def handle_DATA(self, server, session, envelope):
        if self.at_data == "hang":
            await asyncio.sleep(60)
        await asyncio.sleep(self.pause)
        if self.at_data.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        return self.at_data

    async def handle_QUIT(self, server, session, envelope):
        self.ended += 1
        return "221 Bye"


class FaultySMTP(SMTP):
    async def smtp_EHLO(self, hostname):
        self.event_handler.connected += 1
        await super().smtp_EHLO(hostname)

    async def smtp_DATA(self, arg):
        self.event_handler.begun += 1
        if self.event_handler.at_data.startswith("die"):
            if self.event_handler.at_data == "die once":
                self.event_handler.at_data = "250 OK"
            await self.push("354 Go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class Server(Controller):
    """A server that listens where nobody else does, since it is the system that chooses the port."""

    def __init__(self, postbox: Postbox):
        self.socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(postbox, *self.socket.getsockname(), ready_timeout=60)

    def factory(self):
        return FaultySMTP(self.handler, hostname="mail.example", enable_SMTPUTF8=False)

    def _create_server(self):
        return self.loop.create_server(self._factory_invoker, sock=self.socket)


def start(postbox: Postbox) -> Server:
    server = Server(postbox)
    server.start()
    return server
