"""A rule's message, taken apart: what is wrong, and what to do.

Belongs here: the sentence. Does not belong here: rules and their messages (the contracts).
"""


def split_message(message: str) -> tuple[str, str]:
    """What is wrong, and what to do (from the first 「请」 of a clause)."""
    wrong, comma, remedy = message.partition("，请")
    if not comma:
        return message, "请更正后重新报送。"
    return f"{wrong}。", f"请{remedy}"
