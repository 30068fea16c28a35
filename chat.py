"""Ask a repository in words; every statement of an answer names lines at a commit, or a commit, checked against git.

    python chat.py --repo PATH "where is the proxy chosen?"     (without a question: a conversation)
    python chat.py --repo PATH --status | --update

The command is `python -m chat`; how it works is in chat/.
"""

from __future__ import annotations

from chat.__main__ import main

if __name__ == "__main__":
    main(prog_name="chat.py")
