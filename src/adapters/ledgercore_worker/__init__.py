"""Runs background jobs: lanes of threads, heartbeats, schedules, a quiet end."""

from ledgercore_worker.lanes import Report
from ledgercore_worker.timetable import Timetable
from ledgercore_worker.worker import Worker

__all__ = ["Report", "Timetable", "Worker"]
