"""Credentials in text: `find` says where they are, `suspects` whether there can be any."""

from core.text.secrets.finding import find, suspects
from core.text.secrets.secret import SECRET_KINDS, Secret

__all__ = ["SECRET_KINDS", "Secret", "find", "suspects"]
