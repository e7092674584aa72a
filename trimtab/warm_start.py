"""What a study starts from."""

from trimtab.message import Message, StudyName


class WarmStart(Message):
    """Another study, whose finished trials a new one begins with.

    Args:
        study: Its name. What it holds then is taken over; nothing of it is needed later.
    """

    study: StudyName
