"""A mail server, simulated: it takes messages by SMTP and keeps them in one mailbox that everybody can look into."""

from connectors.sandbox.mail.sim import MailSim

__all__ = ["MailSim"]
