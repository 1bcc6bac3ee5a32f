"""Everything that jobs keep."""

from uuid import UUID

from attrs import define, field

from ledgercore.jobs.jobs import Job


@define
class State:
    """What is kept; all of it frozen, in a dictionary by id."""

    jobs: dict[UUID, Job] = field(factory=dict)
