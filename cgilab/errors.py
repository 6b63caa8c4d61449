"""The one kind of error that a user of `lab` can meet."""


class LabError(Exception):
    """What happened and why, and what to type.

    Args:
        what: a sentence that says what happened and, where it is known, why.
        fix: what to type or to do, a line each; may be empty where nothing can be advised.
    """

    def __init__(self, what: str, *fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {line}" for line in self.fix)])
