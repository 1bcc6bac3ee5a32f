"""Sessions: a login and the refresh tokens that follow one another in it."""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final
from uuid import UUID

from attrs import frozen

ACCESS_SECONDS: Final = 900
REFRESH_SECONDS: Final = 604_800
SESSION_SECONDS_MAX: Final = 30 * 86_400


@frozen(kw_only=True)
class Lifetimes:
    """How long tokens live, and after how long a session ends whatever happens."""

    access: timedelta = timedelta(seconds=ACCESS_SECONDS)
    refresh: timedelta = timedelta(seconds=REFRESH_SECONDS)
    session: timedelta = timedelta(seconds=SESSION_SECONDS_MAX)


@frozen(kw_only=True)
class Session:
    """One login. `token_id` names the only refresh token that is good; all earlier ones were rotated away."""

    id: UUID
    user_id: UUID
    token_id: str
    started_at: datetime
    rotated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether tokens of this session still count."""
        return self.revoked_at is None and now < self.expires_at


class Rotation(Enum):
    """What a refresh token that was presented is to its session."""

    CURRENT = auto()
    ENDED = auto()
    TWIN = auto()
    REUSED = auto()


def decide_rotation(session: Session, token_id: str, *, began_at: datetime, now: datetime) -> Rotation:
    """Judge a refresh token that we have signed for this session.

    One that is not the current one was used before. When its request had begun before the rotation was
    stored it is a twin, which gets nothing; later it is a stolen or leaked token, and the session ends
    (RFC 9700, section 4.14.2).
    """
    if not session.is_live(now):
        return Rotation.ENDED
    if token_id == session.token_id:
        return Rotation.CURRENT
    return Rotation.TWIN if began_at <= session.rotated_at else Rotation.REUSED
